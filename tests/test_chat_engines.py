"""Chat engines over a tiny model with random weights: what they say is noise, how they say it is what counts."""

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from contracts.chat import LONGEST, ChatDelta, ChatRequest, Message
from contracts.errors import ContextLength, Deadline, EngineFailed, InvalidInput, Overloaded, ServiceError, Unavailable
from contracts.settings import ROOT
from deployments.chat.ending import Ending
from deployments.registry import build
from deployments.streams import asynchronous
from tests.chat_service import Service, serving
from tests.checkpoints.chat import CONTEXT, qwen2
from tests.conftest import Cluster
from tests.processes import saying

pytestmark = pytest.mark.filterwarnings("default")  # of the libraries, at their first import
SCHEMA = {
    "type": "object",
    "properties": {"hero": {"enum": ["狐狸", "小鹿"]}, "pages": {"enum": [1, 2]}},
    "required": ["hero", "pages"],
}


def asking(text: str = "你好", **options: Any) -> ChatRequest:
    return ChatRequest.model_validate({"messages": [Message(role="user", content=text)], "max_tokens": 24} | options)


async def told(engine: Any, request: ChatRequest) -> list[ChatDelta]:
    async with aclosing(asynchronous(engine.generate(request))) as deltas:
        return [delta async for delta in deltas]


async def said(engine: Any, request: ChatRequest) -> str:
    return "".join(delta.text for delta in await told(engine, request))


@pytest.fixture(scope="module", autouse=True)
def swept() -> Iterator[None]:
    """What the libraries leave open is found here, and not in another module's test, where a warning is an error."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("chat") / "qwen2"
    qwen2(folder)
    return str(folder)


def loaded(name: str, **options: Any) -> Iterator[Any]:
    engine = build("chat", name, options)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def causal(weights: str) -> Iterator[Any]:
    yield from loaded("transformers", weights=weights, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def batching(weights: str) -> Iterator[Any]:
    """vLLM, which starts once."""
    yield from loaded("vllm", weights=weights, dtype="float32", eager=True)


@pytest.fixture(scope="module", params=["transformers", "vllm"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue({"transformers": "causal", "vllm": "batching"}[request.param])


@pytest.mark.parametrize(("pieces", "stops", "answer"), [
    (["abc"], [], "abc"),
    (["ab", "cd", "ef"], ["cde"], "ab"),
    (["ab", "cd", "ef"], ["cdx"], "abcdef"),
    (["aaa", "ab"], ["aab"], "aa"),
    (["a", "b", "c"], ["bc", "b"], "a"),
    (["abc"], ["c", "b"], "a"),
    (["一二", "三"], ["三四"], "一二三"),
])  # fmt: skip
def test_an_answer_ends_before_a_stop(pieces: list[str], stops: list[str], answer: str) -> None:
    ending = Ending(stops)
    assert "".join([*map(ending.feed, pieces), ending.rest()]) == answer


def test_only_what_may_begin_a_stop_is_kept_back() -> None:
    ending = Ending(["</end>"])
    assert [ending.feed(piece) for piece in ("ab<", "/e", "x")] == ["ab", "", "</ex"]


def test_bytes_that_make_no_character_end_no_answer() -> None:
    """As a tokenizer with byte fallback spells them: 你, the first byte of another one, then a."""
    from tokenizers import Tokenizer, decoders, models

    from deployments.chat.decoding import Decoding

    tokens = ["<0xE4>", "<0xBD>", "<0xA0>", "a"]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    decoding = Decoding(tokenizer)
    assert [decoding.step(token) for token in (0, 1, 2, 0, 3, 3)] == ["", "", "你", "", "a", "a"]


def test_the_coldest_temperature_is_no_overflow() -> None:
    import torch

    from deployments.chat.sampling import Sampling

    sampling = Sampling(asking(temperature=1e-320, seed=1), "cpu")
    assert sampling.next(torch.tensor([[0]]), torch.tensor([[1.0, 3.0, 2.0]])).item() == 1


def test_what_was_written_is_penalised_as_often_as_it_was() -> None:
    from deployments.chat.sampling import Sampling

    logits, ids = torch.tensor([[1.0, 3.0, 2.0]]), torch.tensor([[0]])
    often = Sampling(asking(temperature=0, frequency_penalty=0.6), "cpu")
    assert [often.next(ids, logits).item() for _ in range(4)] == [1, 1, 2, 1]
    once = Sampling(asking(temperature=0, presence_penalty=1.5), "cpu")
    assert [once.next(ids, logits).item() for _ in range(3)] == [1, 2, 1]


def test_the_likeliest_tokens_are_those_of_transformers_itself(causal: Any, weights: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights)
    chat = [{"role": "user", "content": "你好"}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = causal.model.generate(**prompt, max_new_tokens=24, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    text = "".join(delta.text for delta in causal.generate(asking(temperature=0)))
    assert text == tokenizer.decode(made, skip_special_tokens=True)


@pytest.mark.asyncio(loop_scope="module")
async def test_both_engines_say_the_same(causal: Any, batching: Any) -> None:
    penalties = {"frequency_penalty": 1.5, "presence_penalty": 0.5}
    for text, options in (("你好", {}), ("a longer prompt, " * 8, {}), ("你好", penalties)):
        request = asking(text, temperature=0, **options)
        assert await said(causal, request) == await said(batching, request)
    assert await said(causal, asking(temperature=0)) != await said(causal, asking(temperature=0, **penalties))


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_comes_in_pieces_and_is_counted(engine: Any) -> None:
    deltas = await told(engine, asking(temperature=0, max_tokens=48))
    assert len(deltas) > 3  # vLLM joins tokens that come within milliseconds
    assert [delta.finish for delta in deltas] == [None] * (len(deltas) - 1) + ["length"]
    assert deltas[-1].usage.completion_tokens == 48 and deltas[-1].usage.prompt_tokens > len("你好")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_seed_gives_the_same_text_whoever_else_asks(engine: Any) -> None:
    seeds = (0, 1, 2, -1)
    alone = [await said(engine, asking(seed=seed, temperature=1)) for seed in seeds]
    together = await asyncio.gather(*(said(engine, asking(seed=seed, temperature=1)) for seed in seeds))
    assert together == alone and len(set(alone)) == 4


@pytest.mark.asyncio(loop_scope="module")
async def test_temperature_and_top_p_narrow_what_is_said(engine: Any) -> None:
    likeliest = await said(engine, asking(temperature=0))
    narrow = [await said(engine, asking(seed=seed, temperature=2, top_p=1e-6)) for seed in range(3)]
    assert set(narrow) == {likeliest}
    assert len({await said(engine, asking(temperature=2)) for _ in range(3)}) == 3


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stop_ends_it(engine: Any) -> None:
    whole = await said(engine, asking(temperature=0))
    stop = whole[4:6]
    deltas = await told(engine, asking(temperature=0, stop=["absent", stop]))
    assert "".join(delta.text for delta in deltas) == whole[: whole.index(stop)]
    assert deltas[-1].finish == "stop" and deltas[-1].usage.completion_tokens < 24


@pytest.mark.asyncio(loop_scope="module")
async def test_a_schema_is_kept_to(engine: Any) -> None:
    for seed in range(3):
        answer = json.loads(await said(engine, asking(seed=seed, json_schema=SCHEMA, max_tokens=200)))
        assert answer["hero"] in ("狐狸", "小鹿") and answer["pages"] in (1, 2)
    with pytest.raises(InvalidInput):
        await said(engine, asking(json_schema={"type": "nonsense"}))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_schema_that_cannot_be_kept_to_is_refused(batching: Any) -> None:
    """vLLM would take another library for it, and then for every schema that comes after."""
    with pytest.raises(InvalidInput):
        await said(batching, asking(json_schema={"type": "integer", "multipleOf": 7}))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_context_bounds_prompt_and_answer(engine: Any) -> None:
    with pytest.raises(ContextLength):
        await said(engine, asking("x" * CONTEXT))
    last = (await told(engine, asking(temperature=0, max_tokens=CONTEXT)))[-1]
    assert last.finish == "stop" or last.usage.prompt_tokens + last.usage.completion_tokens == CONTEXT


def test_who_leaves_stops_transformers_within_a_token(causal: Any) -> None:
    steps = []
    hook = causal.model.register_forward_hook(lambda *_: steps.append(None))
    deltas = causal.generate(asking(max_tokens=400, temperature=1, seed=3))
    next(deltas)
    seen = len(steps)
    deltas.close()
    threading.Event().wait(0.2)
    hook.remove()
    assert len(steps) == seen < 10


def test_transformers_serves_several_by_turns(causal: Any) -> None:
    order: list[int] = []

    def ask(number: int) -> None:
        for _ in causal.generate(asking(max_tokens=40, temperature=1, seed=number)):
            order.append(number)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, range(3)))
    assert {*order[: len(order) // 2]} == {0, 1, 2}


def test_a_model_without_a_template_continues_the_text(weights: str, tmp_path: Path) -> None:
    for file in Path(weights).iterdir():
        if file.name != "chat_template.jinja":
            (tmp_path / file.name).symlink_to(file)
    base = build("chat", "transformers", {"weights": str(tmp_path), "device": "cpu"})
    base.load()
    last = list(base.generate(asking("abc")))[-1]
    assert last.usage.prompt_tokens == len("abc\n")


def test_the_rounds_of_chatglm2_are_numbered(weights: str) -> None:
    """As https://huggingface.co/THUDM/chatglm2-6b, `build_prompt`, words them."""
    from transformers import AutoTokenizer

    from deployments.chat.prompting import prompt_of, template_of

    tokenizer = AutoTokenizer.from_pretrained(weights)
    template = template_of("chatglm2.jinja", tokenizer)
    rounds = [("user", "你好"), ("assistant", "您好"), ("user", "再见")]
    messages = [Message.model_validate({"role": role, "content": text}) for role, text in rounds]
    text = tokenizer.decode(prompt_of(messages, tokenizer, template, CONTEXT))
    assert text == "[Round 1]\n\n问：你好\n\n答：您好\n\n[Round 2]\n\n问：再见\n\n答："


def test_our_templates_leave_the_beginning_of_a_text_to_the_tokenizer(weights: str) -> None:
    """Llama's `<s>`, ChatGLM2's `[gMASK]sop`: without them such models write worse. Their own templates write it."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    from deployments.chat.prompting import prompt_of, template_of

    tokenizer = AutoTokenizer.from_pretrained(weights)
    begin = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    post = TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", begin)])
    tokenizer.backend_tokenizer.post_processor = post
    said = [Message(role="user", content="你好")]
    assert prompt_of(said, tokenizer, template_of("plain.jinja", tokenizer), CONTEXT)[0] == begin
    assert begin not in prompt_of(said, tokenizer, template_of("", tokenizer), CONTEXT)


@pytest.mark.parametrize("name", ["transformers", "vllm"])
def test_weights_that_are_nowhere(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TROUPE_HUB", "modelscope")
    monkeypatch.setenv("TROUPE_VAR", str(tmp_path))
    with pytest.raises(Unavailable, match="modelscope"):
        build("chat", name, {"weights": "nobody/nothing"}).load()


def test_python_that_comes_with_weights_is_not_run_of_any_revision(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: Path
) -> None:
    monkeypatch.setenv("TROUPE_VAR", str(tmp_path))
    shutil.copytree(weights, tmp_path / "models" / "some" / "body")
    (tmp_path / "models" / "some" / "body" / ".complete").touch()  # as ModelScope's are kept
    with pytest.raises(Unavailable, match="固定版本"):
        build("chat", "vllm", {"weights": "some/body", "remote_code": True}).load()


@pytest.mark.asyncio(loop_scope="module")
async def test_of_many_a_third_leaves_and_nothing_is_left_running(batching: Any) -> None:
    async def ask(number: int) -> int:
        """Long and short ones; every third leaves at the first word."""
        request = asking(
            f"{number} " * (number % 40 + 1), seed=number, temperature=1, max_tokens=200 if number % 2 else 6
        )
        pieces, finish = 0, None
        async with aclosing(batching.generate(request)) as deltas:
            async for delta in deltas:
                pieces, finish = pieces + 1, delta.finish
                if number % 3 == 0:
                    return -1
        assert finish
        return pieces

    async def cut() -> None:
        begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(
                batching.generate(asking(max_tokens=480, temperature=0, stop=["never said"]))
            ) as deltas:
                async for _ in deltas:
                    begun.set()

        listening = asyncio.create_task(listen())
        await begun.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening

    *pieces, _ = await asyncio.gather(
        *(ask(number) for number in range(64)), asyncio.gather(*(cut() for _ in range(8)))
    )
    assert all(count == -1 for count in pieces[::3])
    assert all(count > 0 for number, count in enumerate(pieces) if number % 3)
    assert batching.engine.get_num_unfinished_requests() == 0
    assert await batching.engine.reset_prefix_cache()  # refused while a request holds a block
    batching.check_health()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_dead_engine_is_told_and_unhealthy(batching: Any) -> None:
    """Last: nothing runs on it any more."""
    going = asyncio.create_task(said(batching, asking(max_tokens=480, temperature=1, seed=1)))
    await asyncio.sleep(0.1)
    (core,) = saying("EngineCore")
    core.kill()
    with pytest.raises(Unavailable):
        await going
    with pytest.raises(Unavailable) as refused:
        await said(batching, asking())
    assert refused.value.retry_after_s
    with pytest.raises(Unavailable):
        batching.check_health()


@pytest.mark.asyncio(loop_scope="module")
async def test_one_short_request_in_bfloat16(weights: str) -> None:
    """On a processor with AMX it ends the engine unless its process asked for the tiles (`deployments.chat.amx`)."""
    for engine in loaded("vllm", weights=weights, dtype="bfloat16", eager=True):
        last = (await told(engine, asking("a", max_tokens=4, temperature=0)))[-1]
        assert last.finish and last.usage.completion_tokens <= 4
        engine.check_health()


ENDS_WITH_PARENT = """
import multiprocessing, time
from deployments.chat.orphans import end_with_parent

def work():
    end_with_parent()
    print(multiprocessing.current_process().pid, flush=True)
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work).start()
    time.sleep(600)
"""


def test_what_a_killed_replica_has_started_ends_too(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(ENDS_WITH_PARENT)
    command, found = [sys.executable, str(tmp_path / "parent.py")], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=found, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(timeout=30)


def test_every_process_of_vllm_asks_for_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them a short request ends the engine, on processors that have AMX alone."""
    (plugin,) = [each for each in entry_points(group="vllm.general_plugins") if each.name == "troupe_amx"]
    asked: list[bool] = []
    monkeypatch.setattr(torch.cpu, "_init_amx", lambda: asked.append(True))
    monkeypatch.setattr("deployments.chat.orphans.end_with_parent", lambda: None)
    monkeypatch.setattr("deployments.chat.lora_on_cpu.mend", lambda: None)
    plugin.load()()
    assert asked == [True]


@pytest.fixture
def service() -> Iterator[str]:
    with serving() as url:
        yield url


def remote(url: str, model: str = "scripted", **options: Any) -> Any:
    engine = build("chat", "openai", {"base_url": url, "model": model, "retries": 0} | options)
    engine.load()
    return engine


async def test_a_service_answers_as_the_model_behind_it(cluster: Cluster) -> None:
    engine, near = remote(f"{cluster.url}/v1"), build("chat", "scripted", {})
    for request in (
        asking(seed=1),
        asking(seed=2, max_tokens=4),
        asking(seed=1, stop=["，"]),
        asking(top_p=0.5, seed=3),
    ):
        far, close = await told(engine, request), list(near.generate(request))
        assert "".join(delta.text for delta in far) == "".join(delta.text for delta in close)
        assert far[-1].finish == close[-1].finish and len(far) > 1
        assert far[-1].usage == close[-1].usage or request.stop
    with pytest.raises(ContextLength):
        await told(engine, asking("很" * 50_000))


@pytest.mark.parametrize(("model", "kind", "retry_after_s"), [
    ("status-429", Overloaded, 7),
    ("status-500", Unavailable, 7),
    ("status-401", Unavailable, None),
    ("status-404", EngineFailed, None),
    ("status-400", InvalidInput, None),
    ("long", ContextLength, None),
    ("silent", Deadline, None),
    ("breaks", EngineFailed, None),
    ("filtered", InvalidInput, None),
    ("garbled", EngineFailed, None),
])  # fmt: skip
async def test_a_service_that_fails(
    service: str, model: str, kind: type[ServiceError], retry_after_s: float | None
) -> None:
    with pytest.raises(kind) as refused:
        await told(remote(service, model, timeout_s=0.5), asking())
    assert refused.value.retry_after_s == retry_after_s


async def test_a_service_that_was_busy_is_asked_again(service: str) -> None:
    assert "".join(delta.text for delta in await told(remote(service, "busy", retries=1), asking())) == "家人们"


async def test_a_model_that_thinks_has_begun(service: str) -> None:
    async with aclosing(remote(service, "thinks").generate(asking())) as deltas:
        assert (await anext(deltas)).text == ""


async def test_a_service_that_is_not_there() -> None:
    with pytest.raises(Unavailable) as refused:
        await told(remote("http://127.0.0.1:9/v1"), asking())
    assert refused.value.retry_after_s


async def test_who_leaves_ends_the_request_to_the_service(service: str) -> None:
    async with aclosing(remote(service, "endless").generate(asking())) as deltas:
        assert (await anext(deltas)).text == "家人们"
    assert await asyncio.to_thread(Service.left.wait, 10)
    Service.left.clear()
    assert "".join([delta.text for delta in await told(remote(service, "endless"), asking(stop=["好好"]))]) == "家人们"
    assert await asyncio.to_thread(Service.left.wait, 10)


async def test_a_service_is_asked_for_no_more_than_it_takes(service: str) -> None:
    limited = {"most_tokens": 10, "most_temperature": 1, "most_stops": 1, "json_mode": "object"}
    request = asking(max_tokens=99, temperature=2, stop=["好", "坏"], json_schema=SCHEMA)
    await told(remote(service, "endless", **limited), request)
    asked = Service.asked[-1]
    assert (asked["max_tokens"], asked["temperature"], asked["stop"]) == (10, 1, ["好"])
    assert asked["response_format"] == {"type": "json_object"} and "seed" not in asked
    assert json.dumps(SCHEMA, ensure_ascii=False) in asked["messages"][0]["content"]
    await told(remote(service, "endless"), asking(max_tokens=LONGEST, stop=["好"]))
    assert "max_tokens" not in Service.asked[-1]


async def test_a_key_comes_from_the_environment_or_a_file(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = remote(service, "breaks", key="SOME_SERVICE_KEY")
    with pytest.raises(Unavailable, match="SOME_SERVICE_KEY"):
        await told(engine, asking())
    monkeypatch.setenv("SOME_SERVICE_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(Unavailable, match="SOME_SERVICE_KEY"):
        await told(engine, asking())
    (tmp_path / "key").write_text("sk-1\n")
    with pytest.raises(EngineFailed):
        await told(engine, asking())
