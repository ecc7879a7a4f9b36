"""OpenAI's API as its official client uses it, and as raw requests that it would never send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from starlette.testclient import TestClient

from api.app import build
from api.models import Models
from api.state import Engines, make
from contracts import prompts
from contracts.catalog import models
from contracts.errors import Unavailable
from contracts.settings import Settings
from contracts.story import Story
from store.database import Database
from store.keys import Keys
from tests.conftest import Cluster
from tests.copywriting import Near, Says
from tests.test_door import Waiting

HELLO = [{"role": "user", "content": "你好"}]
BODY = {"model": "scripted", "messages": HELLO}
STORY: Any = [message.model_dump() for message in prompts.story("友谊", "小鹿", "", 2, "zh")]


def nested(levels: int) -> dict[str, Any]:
    return {"type": "array", "items": nested(levels - 1)} if levels else {"type": "string"}


@pytest.fixture
def ai(cluster: Cluster) -> Iterator[openai.OpenAI]:
    """Whoever needs no key shows anything."""
    with openai.OpenAI(base_url=f"{cluster.url}/v1", api_key="sk-nothing", max_retries=0, timeout=60) as client:
        yield client


def asked(client: openai.OpenAI, **changed: Any) -> Any:
    return client.chat.completions.create(**{"model": "scripted", "messages": HELLO, "seed": 1} | changed)


def test_models_are_listed_and_found(ai: openai.OpenAI) -> None:
    assert [model.id for model in ai.models.list()] == ["scripted", "espeak", "matching", "painter"]
    assert ai.models.retrieve("scripted").object == "model"
    for name in ("film", "nobody"):
        with pytest.raises(openai.NotFoundError) as refused:
            ai.models.retrieve(name)
        assert refused.value.code == "model_not_found"


def test_an_answer_whole_and_in_chunks_is_the_same(ai: openai.OpenAI) -> None:
    whole = asked(ai)
    chunks = list(asked(ai, stream=True, stream_options={"include_usage": True}))
    said = [chunk for chunk in chunks if chunk.choices]
    assert said[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == whole.choices[0].message.content
    assert len(said) > 3
    assert [chunk.choices[0].finish_reason for chunk in said] == [None] * (len(said) - 1) + ["stop"]
    assert chunks[-1].usage == whole.usage and chunks[-1].choices == []
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 2
    assert {chunk.id for chunk in chunks} == {chunks[0].id} != {whole.id}
    assert not any(chunk.usage for chunk in asked(ai, stream=True))


def test_a_seed_a_stop_and_a_length_are_kept(ai: openai.OpenAI) -> None:
    whole = asked(ai).choices[0].message.content
    assert asked(ai).choices[0].message.content == whole
    assert len({asked(ai, seed=seed).choices[0].message.content for seed in range(8)}) > 1
    for stop in (whole[3:6], ["不在其中", whole[3:6]]):
        stopped = asked(ai, stop=stop).choices[0]
        assert (stopped.message.content, stopped.finish_reason) == (whole[: whole.index(whole[3:6])], "stop")
    for name in ("max_tokens", "max_completion_tokens"):
        short = asked(ai, **{name: 4})
        assert short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 4
        assert whole.startswith(short.choices[0].message.content)


def test_json_is_asked_for_by_a_schema_or_as_any_object(ai: openai.OpenAI) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "story", "schema": Story.model_json_schema()}}
    for wanted in (schema, {"type": "json_object"}):
        story = Story.model_validate_json(asked(ai, messages=STORY, response_format=wanted).choices[0].message.content)
        assert "小鹿" in story.hero and len(story.pages) == 2
    parsed = ai.chat.completions.parse(model="scripted", messages=STORY, response_format=Story)
    assert parsed.choices[0].message.parsed and parsed.choices[0].message.parsed.title


def test_what_clients_send_beside_is_understood(ai: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "你"}, {"type": "text", "text": "好"}]
    earlier = asked(ai).choices[0].message.model_dump()
    whole = asked(ai).choices[0].message.content
    assert asked(ai, messages=[{"role": "user", "content": parts}], n=1, user="me").choices[0].message.content == whole
    assert asked(ai, messages=[{"role": "developer", "content": "短一些"}, *HELLO, earlier, *HELLO]).choices
    thought = {"role": "assistant", "content": None, "reasoning_content": "他说你好"}
    assert asked(ai, messages=[*HELLO, thought, *HELLO]).choices
    hints: Any = {"reasoning_effort": "low", "verbosity": "low", "frequency_penalty": 0.5, "top_p": 0}
    tools = {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "none"}
    assert asked(ai, **hints, **tools, extra_body={"top_k": -1}).choices[0].message.content == whole


@pytest.mark.parametrize(("change", "status", "param", "code"), [
    ({"model": "nobody"}, 404, "model", "model_not_found"),
    ({"model": "painter"}, 404, "model", "model_not_found"),
    ({"model": "glm-4-plus"}, 503, "model", None),
    ({"model": 1}, 400, "model", None),
    ({"max_tokens": -1}, 400, "max_tokens", None),
    ({"max_completion_tokens": 0}, 400, "max_completion_tokens", None),
    ({"max_tokens": 10**9}, 400, "max_tokens", None),
    ({"temperature": 3}, 400, "temperature", None),
    ({"temperature": "hot"}, 400, "temperature", None),
    ({"top_p": -0.1}, 400, "top_p", None),
    ({"seed": 2**70}, 400, "seed", None),
    ({"stop": ["a"] * 5}, 400, "stop", None),
    ({"stop": [""]}, 400, "stop.0", None),
    ({"n": 2}, 400, "n", None),
    ({"tools": [{"type": "function"}]}, 400, "tools", None),
    ({"logprobs": True}, 400, "logprobs", None),
    ({"presence_penalty": 2.5}, 400, "presence_penalty", None),
    ({"tools": [{"type": "function"}], "tool_choice": "auto"}, 400, "tools", None),
    ({"top_k": 5}, 400, "top_k", None),
    ({"prediction": {"type": "content"}}, 400, "prediction", None),
    ({"magic": 1}, 400, "magic", None),
    ({"messages": []}, 400, "messages", None),
    ({"messages": None}, 400, "messages", None),
    ({"messages": [{"role": "wizard", "content": "hi"}]}, 400, "messages.0.role", None),
    ({"messages": [{"role": "tool", "content": "hi"}]}, 400, "messages.0.role", None),
    ({"messages": [{"role": "user"}]}, 400, "messages.0.content", None),
    ({"messages": [{"role": "user", "content": None}]}, 400, "messages.0.content", None),
    ({"messages": [{"role": "user", "content": 7}]}, 400, "messages.0.content", None),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages.0.content", None),
    ({"messages": [{"role": "assistant", "content": "", "tool_calls": [1]}]}, 400, "messages.0.tool_calls", None),
    ({"messages": [{"role": "user", "content": "很" * 100_000}]}, 400, "messages", "context_length_exceeded"),
    ({"messages": [{"role": "user", "content": "x" * 100_000}]}, 400, "messages", "context_length_exceeded"),
    ({"response_format": {"type": "xml"}}, 400, "response_format.type", None),
    ({"response_format": {"type": "json_schema"}}, 400, "response_format", None),
    ({"messages": HELLO * 3000}, 400, "messages", None),
    ({"response_format": {"type": "json_object"}}, 400, "response_format", None),  # it knows small talk as text only
])  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_bad_input_is_refused_in_openais_words(
    client: httpx.Client, change: dict[str, Any], status: int, param: str, code: str | None, stream: bool
) -> None:
    answer = client.post("/v1/chat/completions", json=BODY | {"stream": stream} | change)
    told = answer.json()["error"]
    assert (answer.status_code, told["param"], told["code"]) == (status, param, code), told
    assert told["message"] and told["type"] == ("server_error" if status >= 500 else "invalid_request_error")


@pytest.mark.parametrize(
    "more", [{"minProperties": 1}, {"examples": nested(100)}, {"examples": [{}] * 600}, {"$comment": "x" * 70_000}]
)
def test_a_schema_that_takes_an_engine_long_is_refused(client: httpx.Client, more: dict[str, Any]) -> None:
    """One of 200 fields and `minProperties` takes xgrammar half a minute, one of 1,000 hours."""

    def held(schema: Any) -> httpx.Response:
        wanted = {"type": "json_schema", "json_schema": {"name": "story", "schema": schema}}
        return client.post("/v1/chat/completions", json=BODY | {"messages": STORY, "response_format": wanted})

    assert held(Story.model_json_schema()).status_code == 200
    answer = held(Story.model_json_schema() | more)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "response_format")


@pytest.mark.parametrize(("content", "status"), [
    (b"{", 400),
    (b'"text"', 400),
    (b'{"messages": [{"role": "user", "content": "half of a character: \\ud800"}]}', 400),
    (b'{"messages": [{"role": "user", "content": "hi"}], "temperature": NaN}', 400),
    (b"[" * 100_000, 400),
    (b"x" * (5 << 20), 413),
])  # fmt: skip
def test_bodies_that_are_none(client: httpx.Client, content: bytes, status: int) -> None:
    answer = client.post("/v1/chat/completions", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status and answer.json()["error"]["type"] == "invalid_request_error"
    assert client.get("/v1/chat/completions").json()["error"]["message"]


def here(tmp_path: Path, chat: Any, fallback: bool = False, **settings: Any) -> tuple[TestClient, Keys]:
    """The API beside the test."""
    known = models()
    kept = Settings(var=tmp_path, **settings)
    database = Database(kept.tables_url)
    database.migrate()
    state = make(kept, Models([known["scripted"]], known, fallback), Engines(chats={"scripted": chat}))
    return TestClient(build(state)), state.keys


def test_keys_are_asked_for_where_they_are_required(tmp_path: Path) -> None:
    client, keys = here(tmp_path, Near(), require_key=True)
    made = keys.create("shop", "user")[1]

    def shown(secret: str) -> httpx.Response:
        return client.post("/v1/chat/completions", json=BODY, headers={"Authorization": f"Bearer {secret}"})

    for wrong in ("sk-nothing", "troupe_nobody", "x.y.z", ""):
        assert shown(wrong).status_code == 401 and shown(wrong).json()["error"]["code"] == "invalid_api_key"
    assert client.get("/v1/models").status_code == 401
    assert shown(made).json()["choices"][0]["message"]["content"]


def test_a_key_that_is_not_valid_is_not_taken_for_none(tmp_path: Path) -> None:
    client, _ = here(tmp_path, Near())
    statuses = {
        secret: client.get("/v1/models", headers={"Authorization": f"Bearer {secret}"}).status_code
        for secret in ("sk-nothing", "none", "troupe_nobody", "x.y.z")
    }
    assert statuses == {"sk-nothing": 200, "none": 200, "troupe_nobody": 401, "x.y.z": 401}


def test_with_fallback_the_default_answers_and_says_so(tmp_path: Path) -> None:
    client, _ = here(tmp_path, Near(), fallback=True)
    answer = client.post("/v1/chat/completions", json=BODY | {"model": "glm-4-plus"})
    assert answer.headers["x-troupe-model"] == answer.json()["model"] == "scripted"
    assert "x-troupe-model" not in client.post("/v1/chat/completions", json=BODY | {"model": ""}).headers


class Breaks(Says):
    """Says so many words and is gone."""

    async def generate(self, request: Any) -> Any:
        for answer in self.answers:
            async for delta in Says(answer).generate(request):
                yield delta.model_copy(update={"finish": None})
        raise Unavailable("模型正在重新启动，请稍后再试。", retry_after_s=2)


class Stumbles(Says):
    async def generate(self, request: Any) -> Any:
        async for delta in super().generate(request):
            yield delta.model_copy(update={"finish": None})
        raise KeyError("secret")


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_away_is_told_before_the_first_word(tmp_path: Path, stream: bool) -> None:
    client, _ = here(tmp_path, Breaks())
    answer = client.post("/v1/chat/completions", json=BODY | {"stream": stream})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["error"]["type"] == "server_error"


def test_a_model_that_breaks_off_ends_the_stream_with_an_error(tmp_path: Path) -> None:
    client, _ = here(tmp_path, Breaks("一二三四五"))
    answer = client.post("/v1/chat/completions", json=BODY | {"stream": True})
    *chunks, last = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "一二三四五"
    assert last["error"]["type"] == "server_error" and "[DONE]" not in answer.text


def test_a_failure_that_nobody_thought_of_is_told_in_the_stream(tmp_path: Path) -> None:
    client, _ = here(tmp_path, Stumbles("一二三四五"))
    answer = client.post("/v1/chat/completions", json=BODY | {"stream": True})
    assert json.loads(answer.text.splitlines()[-2][6:])["error"]["type"] == "server_error"
    assert "secret" not in answer.text and "[DONE]" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [
    ("POST", "/v1/responses", 404),
    ("POST", "/v1/embeddings", 404),
    ("GET", "/v1/chat/completions/chatcmpl-1", 404),
    ("GET", "/v1/chat/completions", 405),
    ("DELETE", "/v1/models/scripted", 405),
])  # fmt: skip
def test_calls_that_there_are_not_are_refused_in_openais_words(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    told = answer.json()["error"]
    assert (answer.status_code, told["type"], told["code"]) == (status, "invalid_request_error", None)


@pytest.mark.parametrize("stream", [False, True])
async def test_who_leaves_ends_the_generation(tmp_path: Path, stream: bool) -> None:
    """A raw ASGI call whose client is gone as soon as it has asked."""
    chat = Waiting()
    client, _ = here(tmp_path, chat, sync_calls=1)
    body = json.dumps(BODY | {"stream": stream}).encode()
    for turn in range(1, 3):
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive(given: Iterator[dict[str, Any]] = messages) -> dict[str, Any]:
            return next(given, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            pass

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"", "headers": []}
        scope |= {"headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1), "scheme": "http"}
        await client.app(scope | {"server": ("here", 80), "http_version": "1.1", "asgi": {}}, receive, send)
        assert (chat.begun, chat.closed) == (turn, turn)
