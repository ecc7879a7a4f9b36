"""Adapters beside their base: each request is answered by the one that it names, and the base stays what it was."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from contracts.chat import ChatRequest, Message
from contracts.errors import NotFound
from contracts.settings import Settings
from deployments.chat.adapters import Adapters
from deployments.registry import build
from deployments.streams import asynchronous
from store.artifacts import Artifacts
from store.database import Database
from tests.checkpoints.chat import qwen2

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
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat") / "qwen2"
    qwen2(folder)
    return folder


@pytest.fixture(scope="module")
def adapters(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untaught, but not without effect."""
    made = {}
    for seed, name in enumerate(NAMES):
        torch.manual_seed(seed)
        config = LoraConfig(r=8, lora_alpha=32, target_modules="all-linear", init_lora_weights=False)
        made[name] = tmp_path_factory.mktemp("adapters") / name
        get_peft_model(AutoModelForCausalLM.from_pretrained(weights), config).save_pretrained(str(made[name]))
    return made


@pytest.fixture(scope="module")
def expected(weights: Path, adapters: dict[str, Path]) -> dict[str, str]:
    """What transformers and peft themselves answer, by adapter."""
    tokenizer: Any = AutoTokenizer.from_pretrained(weights)
    asked = [{"role": "user", "content": "你好"}]
    ids = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    answers = {}
    for name, folder in {"": None, **adapters}.items():
        model: Any = AutoModelForCausalLM.from_pretrained(weights)
        model = PeftModel.from_pretrained(model, str(folder)) if folder else model
        made = model.generate(input_ids=ids, do_sample=False, max_new_tokens=TOKENS)[0, ids.shape[1] :]
        answers[name] = tokenizer.decode(made, skip_special_tokens=True).rstrip(HALF)
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
async def test_requests_that_take_turns_keep_their_adapters(
    engine: Any, adapters: dict[str, Path], expected: dict[str, str]
) -> None:
    asked = ["", "brand", "calm", "brand"]
    streams = [said(engine, adapters.get(name, "")) for name in asked]
    assert await asyncio.gather(*streams) == [expected[name] for name in asked]


def test_an_adapter_is_fetched_once_and_told_of_when_it_is_gone(adapters: dict[str, Path], tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    Database(settings.tables_url).migrate()
    files = Artifacts(settings)
    for file in adapters["brand"].iterdir():
        files.upload(f"callers/x/models/brand/1/{file.name}", file.read_bytes(), "x")
    local = Adapters(files)
    folder = local.fetched("callers/x/models/brand/1")
    wanted = (adapters["brand"] / "adapter_model.safetensors").read_bytes()
    assert (folder / "adapter_model.safetensors").read_bytes() == wanted
    files.delete("callers/x/models/brand/1")
    assert local.fetched("callers/x/models/brand/1") == folder
    with pytest.raises(NotFound, match="已被删除"):
        local.fetched("callers/x/models/brand/2")
    local.close()
    assert not folder.exists()
