"""Live commerce in one process: what is asked of it at once, how much, and in whose place."""

import asyncio
import io
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from api.app import build
from api.chinese import WORDS, message_of
from api.models import Models
from api.state import Engines, State, make
from contracts.catalog import models
from contracts.engines import Chat
from contracts.errors import Conflict, EngineFailed, ServiceError, Unavailable
from contracts.settings import Settings
from graphs.render import _last
from jobs import engine
from store import scripts
from store.database import Database
from store.keys import Keys
from store.media import apart
from store.scripts import Scripts
from tests.media import speech
from tests.waiting import soon
from tests.wording import in_chinese

SAMPLE = {"voiceSample": ("a.wav", speech())}


@asynccontextmanager
async def open_shop(
    var: Path, fallback: bool = False, chats: Mapping[str, Chat] = MappingProxyType({}), **changes: Any
) -> AsyncIterator[tuple[State, httpx.AsyncClient]]:
    """Somebody at the API, without anybody who works."""
    settings, known = Settings(var=var, **{"min_free_gib": 0} | changes), models()
    Database(settings.tables_url).migrate()
    engine.migrate(settings)
    served = [known["matching"], *(known["scripted"].model_copy(update={"id": name}) for name in chats)]
    state = make(settings, Models(served, known, fallback), Engines(chats=chats))
    transport = httpx.ASGITransport(build(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe", timeout=60) as client:
        yield state, client
    for database in (state.database, state.artifacts._database):
        database.engine.dispose()
    state.jobs._client.destroy()


def speak(client: httpx.AsyncClient, **form: str) -> Any:
    return client.post("/api/tts/generate-cloned", data={"text": "你好"} | form, files=SAMPLE)


def train(client: httpx.AsyncClient) -> Any:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "家人们\n看过来\n")
    files = {"trainingSamples": ("a.zip", file.getvalue())}
    return client.post("/api/training/start", data={"modelId": "chatglm2_6b"}, files=files)


async def test_samples_that_wait_to_be_decoded_hold_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, many = threading.Semaphore(0), 4
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(many))
    monkeypatch.setattr(apart, "_turns", turns)
    async with open_shop(tmp_path) as (state, client):
        _, key = Keys(state.database).create("program", "user")
        client.headers["Prefer"] = "respond-async"
        asked = [asyncio.create_task(speak(client)) for _ in range(many)]
        try:
            await soon(lambda: state.in_flight._count == many)
            seen = await asyncio.wait_for(client.get("/api/scripts", headers={"X-API-Key": key}), 10)
            assert seen.json()["code"] == 1
        finally:
            turns.release(many)
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {202}


async def test_samples_for_training_are_looked_at_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shop(tmp_path) as (_, client):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        answer = await train(client)
        assert (answer.status_code, answer.json()["code"]) == (503, 0) and "chatglm2_6b" in answer.json()["msg"]


async def test_no_more_samples_are_looked_at_than_there_is_room_for(tmp_path: Path) -> None:
    async with open_shop(tmp_path, sync_calls=1) as (state, client):
        with state.in_flight.one():
            assert (await train(client)).status_code == 429
        assert (await train(client)).status_code == 503 and not state.in_flight._count


async def test_nothing_is_taken_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    async with open_shop(tmp_path, min_free_gib=1e9) as (state, client):
        for answer in (await train(client), await client.post("/api/scripts", json={"name": "开场白"})):
            assert (answer.status_code, answer.json()["msg"]) == (503, "磁盘空间不足，暂不接受新任务。")
        assert Scripts(state.database).all(("nobody",)) == []


async def test_an_owner_has_only_so_many_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "MOST", 2)
    async with open_shop(tmp_path) as (state, client):
        kept = Scripts(state.database)
        row, _ = (kept.create("somebody", name, "", "") for name in "ab")
        with pytest.raises(Conflict, match="2 个"):
            kept.create("somebody", "c", "", "")
        assert kept.update(str(row.id), ("somebody",), "d", "", "").name == "d"
        assert (await client.post("/api/scripts", json={"name": "another's"})).json()["code"] == 1


async def test_saving_is_counted_as_what_makes_something(tmp_path: Path) -> None:
    async with open_shop(tmp_path, generation_limit="1 per minute") as (_, client):
        saved = [(await client.post("/api/scripts", json={"name": name})).status_code for name in "abc"]
        assert saved == [200, 200, 429]  # the first had no cookie yet


@pytest.mark.parametrize("script_id", [0, "0", 5, "5"])
async def test_an_id_that_is_unknown_makes_no_script(tmp_path: Path, script_id: int | str) -> None:
    async with open_shop(tmp_path) as (_, client):
        answer = await client.post("/api/scripts", json={"id": script_id, "name": "开场白"})
        assert answer.json() == {"code": 0, "msg": "id：脚本不存在。", "data": None}
        for none in (None, ""):
            assert (await client.post("/api/scripts", json={"id": none, "name": "开场白"})).json()["code"] == 1


@pytest.mark.parametrize("blank", [" ", "\u3000", "\u200b", "\ufeff \u2060"])
async def test_what_cannot_be_seen_says_nothing(tmp_path: Path, blank: str) -> None:
    async with open_shop(tmp_path) as (_, client):
        for path, body in (
            ("/api/product/generate-script", {"productName": blank}),
            ("/api/product/generate-script", {"productName": "耳机", "features": ["降噪", blank]}),
            ("/api/script/polish", {"content": blank}),
            ("/api/scripts", {"name": blank}),
        ):
            answer = (await client.post(path, json=body)).json()
            assert answer["code"] == 0 and answer["msg"].endswith("：不能为空")
        assert (await speak(client, text=blank)).json()["msg"] == "text：没有可以读出的文字"


async def test_a_model_in_anothers_place_is_named(tmp_path: Path) -> None:
    """The job is done by hand: what counts is what its caller hears of it."""
    async with open_shop(tmp_path, fallback=True) as (state, client):
        for name, said in (("f5tts", "（由 matching 合成）"), ("matching", ""), ("", "")):
            asked = asyncio.create_task(speak(client, modelId=name))
            await soon(lambda: state.jobs.records.alive(2**62))
            (job,) = state.jobs.records.alive(2**62)
            assert state.jobs.records.start(job).params["model"] == "matching"
            state.jobs.records.complete(job, {"resources": [f"audio/generated_{job}.mp3"]})
            answer = await asked
            assert answer.json()["msg"] == f"语音生成成功{said}"
            assert answer.headers.get("x-troupe-model") == ("matching" if said else None)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/api/product/generate-script", {"productName": "a", "features": "b"}, "features：应为列表"),
        ("/api/product/generate-script", {"productName": "a", "features": ["b"] * 21}, "features：最多 20 项"),
        ("/api/scripts", {"name": "a", "id": "9" * 33}, "id：最多 32 个字符"),
        ("/api/scripts", {"name": "a", "id": [1]}, "id：应为字符串"),
        ("/api/script/polish", {"content": "a", "modelId": "nobody"}, "modelId：没有这个模型。"),
        ("/api/script/polish", {"content": "a", "modelId": "base:nobody"}, "modelId：没有这个模型。"),
        (
            "/api/script/refine",
            {"currentText": "a", "action": "finish", "step": 2, "modelId": 8},
            "modelId：应为字符串",
        ),
        (
            "/api/script/polish",
            {"content": "a"},
            "本集群没有启用语言模型。可用 scripted：请在集群配置的 models 中启用它。",
        ),
    ],
)
async def test_refusals_are_in_chinese(tmp_path: Path, path: str, body: dict[str, Any], message: str) -> None:
    async with open_shop(tmp_path) as (_, client):
        assert (await client.post(path, json=body)).json()["msg"] == message


async def test_a_word_in_the_place_of_a_file(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as (_, client):
        form = {"text": (None, "你好"), "voiceSample": (None, "a word")}
        answer = await client.post("/api/tts/generate-cloned", files=form)
        assert answer.json()["msg"] == "voiceSample：应为文件"


def test_every_kind_of_fault_has_chinese_words() -> None:
    assert all(
        in_chinese(words.partition("{")[0] + words.partition("}")[2]) for words in WORDS.values() if words[0] != "{"
    )
    assert in_chinese(message_of({"type": "url_parsing", "msg": "Input should be a valid URL"}))


@pytest.mark.parametrize("clones", [False, True])
def test_a_capability_that_is_absent_is_told_in_chinese(clones: bool) -> None:
    for capability in ("chat", "image", "speech", "video"):
        with pytest.raises(Unavailable) as refused:
            Models([], {}, False).default(capability, clones=clones)  # type: ignore[arg-type]
        assert in_chinese(refused.value.message)


@pytest.mark.filterwarnings("ignore")  # Ray's own, at its first import
async def test_what_a_model_did_not_do_is_told_in_chinese() -> None:
    from ray.exceptions import ActorDiedError
    from ray.serve.exceptions import BackPressureError

    from deployments.remote import our_errors

    async def nothing() -> AsyncIterator[Any]:
        for item in ():
            yield item

    with pytest.raises(EngineFailed) as ended:
        await _last(nothing())  # type: ignore[arg-type]
    told: list[ServiceError] = [ended.value]
    for error in (BackPressureError(1, 1), ActorDiedError()):
        with pytest.raises(ServiceError) as refused, our_errors():
            raise error
        told.append(refused.value)
    assert all(in_chinese(error.message) for error in told)
