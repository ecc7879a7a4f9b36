"""What the benchmark of chat compares: a cluster, vLLM in one process, and transformers, which writes one at a time."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.cluster import configured, served
from contracts import prompts

MODEL = "qwen2.5-7b-instruct"  # any that vLLM runs: the weights are those of the folder
REQUESTS = {1: 6, 8: 32, 32: 96}  # by the number of clients, who share them
TOKENS, TEMPERATURE = 128, 0.7  # of an answer, at most
ALONE = 4  # answers one at a time
HERE = {
    "TROUPE_GENERATION_LIMIT": "10000000 per minute",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}


@dataclass(frozen=True)
class Answer:
    first_s: float  # until its first token
    tokens: int


@dataclass(frozen=True)
class Load:
    """What so many clients got."""

    rate: float  # tokens a second, from the first request to the last answer's end
    firsts_ms: list[float]


Ask = Callable[[int], Awaitable[Answer]]  # the question's number


def question(number: int) -> list[dict[str, str]]:
    """As the live copy's routes ask a model."""
    features = ["长效保温", f"容量{number % 90 + 10}0毫升"]
    asked = prompts.product_script(f"星野{number}号保温杯", features, "上班族", f"{number % 90 + 10}元", "买一送一")
    return [message.model_dump() for message in asked]


async def loads(ask: Ask) -> dict[int, Load]:
    """By the number of clients, once everything is warm."""
    numbers = count()
    await load(ask, 32, 32, numbers)
    return {clients: await load(ask, clients, requests, numbers) for clients, requests in REQUESTS.items()}


async def load(ask: Ask, clients: int, requests: int, numbers: Iterator[int]) -> Load:
    answers: list[Answer] = []
    waiting = iter([next(numbers) for _ in range(requests)])

    async def caller() -> None:
        for number in waiting:
            answers.append(await ask(number))

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(clients)))
    seconds = time.perf_counter() - started
    return Load(sum(answer.tokens for answer in answers) / seconds, [answer.first_s * 1000 for answer in answers])


def through_v1(folder: Path) -> dict[int, Load]:
    os.environ.update(HERE)
    options = {"weights": str(folder.resolve()), "context": 0}
    with configured(MODEL, options, max_ongoing_requests=256) as config, served(config) as url:
        return asyncio.run(_through_v1(url))


async def _through_v1(url: str) -> dict[int, Load]:
    async with aiohttp.ClientSession(url) as session:

        async def ask(number: int) -> Answer:
            body = {"messages": question(number), "max_tokens": TOKENS, "temperature": TEMPERATURE}
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            started, first_s, usage = time.perf_counter(), 0.0, b""
            async with session.post("/v1/chat/completions", json=body) as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    if line.startswith(b"data: {"):
                        if not first_s and _says(line):
                            first_s = time.perf_counter() - started
                        usage = line
            return Answer(first_s, json.loads(usage[6:])["usage"]["completion_tokens"])

        return await loads(ask)


def _says(line: bytes) -> bool:
    """A chunk with text; one without comes before the first."""
    return bool(json.loads(line[6:])["choices"][0]["delta"].get("content"))


def vllm_alone(folder: Path) -> dict[int, Load]:
    os.environ.update(HERE)
    return asyncio.run(_vllm_alone(folder))


async def _vllm_alone(folder: Path) -> dict[int, Load]:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.inputs import tokens_input
    from vllm.sampling_params import RequestOutputKind, SamplingParams
    from vllm.v1.engine.async_llm import AsyncLLM

    engine = AsyncLLM.from_engine_args(AsyncEngineArgs(model=str(folder), generation_config="vllm"))
    tokenizer: Any = engine.get_tokenizer()
    sampling = SamplingParams(max_tokens=TOKENS, temperature=TEMPERATURE, output_kind=RequestOutputKind.DELTA)

    async def ask(number: int) -> Answer:
        started, first_s, tokens = time.perf_counter(), 0.0, 0
        prompt = tokenizer.apply_chat_template(question(number), add_generation_prompt=True, return_dict=False)
        async for output in engine.generate(tokens_input(prompt), sampling, str(number)):
            tokens += len(output.outputs[0].token_ids)
            first_s = first_s or time.perf_counter() - started
        return Answer(first_s, tokens)

    try:
        return await loads(ask)
    finally:
        engine.shutdown()


def one_at_a_time(folder: Path) -> float:
    """Tokens a second. It is the same for any number of clients: each waits until those before are done."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)

    def write(number: int, most: int = TOKENS) -> int:
        prompt = tokenizer.apply_chat_template(question(number), add_generation_prompt=True, return_tensors="pt")
        made = model.generate(**prompt, max_new_tokens=most, do_sample=True, temperature=TEMPERATURE)
        return int(made.shape[1] - prompt["input_ids"].shape[1])

    write(0, 8)
    started = time.perf_counter()
    tokens = sum(write(number) for number in range(ALONE))
    return tokens / (time.perf_counter() - started)
