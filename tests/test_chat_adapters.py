"""Adapters beside their base: each request is answered by the one that it names, and the base stays what it was."""

import asyncio
import gc
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from contracts.catalog import ModelSpec
from contracts.chat import ChatRequest, Message
from contracts.errors import Conflict, NotFound, Unavailable
from contracts.platform import MANIFEST
from contracts.settings import Settings
from deployments.chat import adapters as adapters_module
from deployments.chat.adapters import Adapters
from deployments.registry import build
from deployments.revisions import revision_of
from deployments.streams import asynchronous
from store.artifacts import Artifacts
from store.database import Database
from tests.checkpoints.chat import qwen2
from tests.waiting import eventually
from training.adapters import merge

pytestmark = pytest.mark.filterwarnings("default")  # of the libraries, at their first import
TOKENS = 16
HALF = "\ufffd"  # of a character, where an answer breaks off
NAMES = ("brand", "calm")


@pytest.fixture(scope="module", autouse=True)
def swept() -> Iterator[None]:
    """What the libraries leave open is found here, and not in another module's test, where a warning is an error."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model and an adapter, of which one was merged."""
    folder = tmp_path_factory.mktemp("parts")
    qwen2(folder / "base")
    return folder / "base", adapter(folder / "base", folder / "adapter", seed=len(NAMES))


@pytest.fixture(scope="module")
def weights(parts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat") / "merged"
    merge(*parts, folder)
    return folder


def adapter(weights: Path, folder: Path, seed: int) -> Path:
    """Untaught, but not without effect."""
    torch.manual_seed(seed)
    config = LoraConfig(r=8, lora_alpha=32, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(weights), config).save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def adapters(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {name: adapter(weights, folder / name, seed) for seed, name in enumerate(NAMES)}


def generated(weights: Path, folder: Path | None) -> str:
    """What transformers and peft themselves answer."""
    tokenizer: Any = AutoTokenizer.from_pretrained(weights)
    asked = [{"role": "user", "content": "你好"}]
    ids = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    model: Any = AutoModelForCausalLM.from_pretrained(weights)
    model = PeftModel.from_pretrained(model, str(folder)) if folder else model
    made = model.generate(input_ids=ids, do_sample=False, max_new_tokens=TOKENS)[0, ids.shape[1] :]
    return str(tokenizer.decode(made, skip_special_tokens=True)).rstrip(HALF)


@pytest.fixture(scope="module")
def unmerged(parts: tuple[Path, Path]) -> str:
    assert generated(*parts) != generated(parts[0], None)
    return generated(*parts)


@pytest.fixture(scope="module")
def expected(weights: Path, adapters: dict[str, Path]) -> dict[str, str]:
    """By adapter."""
    answers = {name: generated(weights, adapters.get(name)) for name in ("", *NAMES)}
    assert len(set(answers.values())) == 3
    return answers


@pytest.fixture(
    scope="module",
    params=[("transformers", {"device": "cpu"}), ("vllm", {"eager": True, "adapters": 2, "adapter_rank": 8})],
    ids=["transformers", "vllm"],
)
def engine(request: pytest.FixtureRequest, weights: Path) -> Iterator[Any]:
    name, options = request.param
    engine = build("chat", name, {"weights": str(weights), "dtype": "float32"} | options)
    engine.load()
    yield engine
    engine.close()


async def said(engine: Any, adapter: Path | str) -> str:
    messages = [Message(role="user", content="你好")]
    request = ChatRequest(messages=messages, temperature=0, max_tokens=TOKENS, adapter=str(adapter))
    return "".join([delta.text async for delta in asynchronous(engine.generate(request))]).rstrip(HALF)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_request_is_answered_by_the_adapter_that_it_names(
    engine: Any, adapters: dict[str, Path], expected: dict[str, str]
) -> None:
    assert engine.adapts
    for name in ("", "brand", "calm", "brand", "", "calm"):
        assert await said(engine, adapters.get(name, "")) == expected[name], name


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_merged_answers_in_both_engines(engine: Any, unmerged: str) -> None:
    """All of these tests are of such a model: another start of vLLM would take longer than they do together."""
    assert await said(engine, "") == unmerged


@pytest.mark.asyncio(loop_scope="module")
async def test_requests_that_take_turns_keep_their_adapters(
    engine: Any, adapters: dict[str, Path], expected: dict[str, str]
) -> None:
    asked = ["", "brand", "calm", "brand"]
    streams = [said(engine, adapters.get(name, "")) for name in asked]
    assert await asyncio.gather(*streams) == [expected[name] for name in asked]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_unloaded_is_gone_and_the_rest_answers_on(
    engine: Any, adapters: dict[str, Path], expected: dict[str, str], tmp_path: Path
) -> None:
    passing = tmp_path / "passing"
    shutil.copytree(adapters["brand"], passing)
    for name in ("brand", "calm"):
        await said(engine, adapters[name])
    assert await said(engine, passing) == expected["brand"]
    await engine.forget(str(passing))
    shutil.rmtree(passing)
    for name in ("", "calm", "brand"):
        assert await said(engine, adapters.get(name, "")) == expected[name], name
    for name in ("calm", "brand"):
        await engine.forget(str(adapters[name]))
        await engine.forget(str(adapters[name]))  # it is none any more
    assert not getattr(engine, "adapter_ids", None) and getattr(engine, "tuned", None) is None
    assert await said(engine, "") == expected[""]
    assert await said(engine, adapters["calm"]) == expected["calm"]  # and comes back


async def test_an_adapter_that_is_too_large_ends_no_engine(adapters: dict[str, Path], weights: Path) -> None:
    engine = build("chat", "vllm", {"weights": str(weights), "adapters": 1, "adapter_rank": 4})
    with pytest.raises(Unavailable, match="lora_r 为 8"):
        engine._lora(str(adapters["brand"]))


KEY = "callers/x/models/brand"


@pytest.fixture
def files(adapters: dict[str, Path], weights: Path, tmp_path: Path) -> Artifacts:
    """Three versions, the last of them taught beside other weights."""
    settings = Settings(var=tmp_path)
    Database(settings.tables_url).migrate()
    kept = Artifacts(settings)
    for version, revision in enumerate([revision_of(weights), revision_of(weights), "another"]):
        for file in adapters["brand"].iterdir():
            kept.upload(f"{KEY}/{version}/{file.name}", file.read_bytes(), "x")
        kept.upload(f"{KEY}/{version}/{MANIFEST}", json.dumps({"base_revision": revision}).encode(), "x")
    return kept


def test_an_adapter_is_fetched_once_and_stays_while_somebody_has_it(
    files: Artifacts, adapters: dict[str, Path], weights: Path
) -> None:
    local = Adapters(files, str(weights))
    folder, other = local.lend(f"{KEY}/0"), local.lend(f"{KEY}/1")
    wanted = (adapters["brand"] / "adapter_model.safetensors").read_bytes()
    assert (folder / "adapter_model.safetensors").read_bytes() == wanted
    local.give_back(f"{KEY}/1")
    assert local.outdated() == []
    files.delete(KEY)
    assert local.lend(f"{KEY}/0") == folder  # for who has asked already
    assert local.outdated() == [other]
    with pytest.raises(NotFound, match="已被删除"):
        local.lend(f"{KEY}/1")
    for _ in range(2):
        local.give_back(f"{KEY}/0")
    assert local.outdated() == [folder] and local.outdated() == []
    local.close()
    assert not folder.exists()


def test_those_that_were_not_asked_for_longest_make_room(
    files: Artifacts, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters_module, "KEPT", 1)
    local = Adapters(files, str(weights))
    first, second = local.lend(f"{KEY}/0"), local.lend(f"{KEY}/1")
    assert local.outdated() == []
    for version in (0, 1):
        local.give_back(f"{KEY}/{version}")
    assert local.outdated() == [first] and second.exists()
    local.close()


def test_an_adapter_of_other_weights_is_not_loaded(files: Artifacts, weights: Path) -> None:
    local = Adapters(files, str(weights))
    with pytest.raises(Conflict, match="重新训练"):
        local.lend(f"{KEY}/2")
    assert not list(local._root.iterdir())
    local.close()


class Slow:
    """A store that gives nothing before it is told to."""

    def __init__(self, files: Artifacts) -> None:
        self.files, self.asked, self.may = files, threading.Event(), threading.Event()

    def fetch(self, key: str, to: Path) -> None:
        self.asked.set()
        assert self.may.wait(30)
        self.files.fetch(key, to)


async def test_who_leaves_while_an_adapter_comes_holds_nobody_up_and_keeps_nothing(
    files: Artifacts, weights: Path
) -> None:
    from deployments.chat.deployment import ChatDeployment

    options = {"weights": str(weights), "dtype": "float32", "device": "cpu"}
    spec = ModelSpec(id="any", capability="chat", engine="transformers", options=options)
    replica = ChatDeployment.func_or_class(spec, files)
    local = replica.adapters
    local.lend(f"{KEY}/0")
    local.files = slow = Slow(files)  # type: ignore[assignment]
    asked = ChatRequest(messages=[Message(role="user", content="你好")], adapter=f"{KEY}/1")
    call = asyncio.create_task(anext(replica.generate(asked)))
    await asyncio.to_thread(slow.asked.wait, 30)
    local.give_back(f"{KEY}/0")  # at once, though another one is being fetched
    call.cancel()
    slow.may.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.to_thread(eventually, lambda: f"{KEY}/1" in local._folders and not local._lent[f"{KEY}/1"])


async def test_a_replica_unloads_what_is_deleted(files: Artifacts, weights: Path, expected: dict[str, str]) -> None:
    from deployments.chat.deployment import ChatDeployment  # Ray's own warnings, at its first import, are not ours

    options = {"weights": str(weights), "dtype": "float32", "device": "cpu"}
    spec = ModelSpec(id="any", capability="chat", engine="transformers", options=options)
    replica = ChatDeployment.func_or_class(spec, files)

    async def answer(adapter: str) -> str:
        messages = [Message(role="user", content="你好")]
        asked = ChatRequest(messages=messages, temperature=0, max_tokens=TOKENS, adapter=adapter)
        return "".join([delta.text async for delta in replica.generate(asked)]).rstrip(HALF)

    assert await answer(f"{KEY}/0") == expected["brand"]
    files.delete(KEY)
    replica.swept_s = 0.0
    await replica.check_health()
    assert replica.engine.tuned is None and not list(replica.adapters._root.iterdir())
    with pytest.raises(NotFound, match="已被删除"):
        await answer(f"{KEY}/0")
    assert await answer("") == expected[""]
