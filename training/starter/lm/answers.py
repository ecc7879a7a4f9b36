"""Who is asked in an evaluation: a model through the platform's engine, or the grammar that taught it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.chat import ChatRequest, Message
from deployments.chat.scripted.engine import answer
from deployments.chat.vllm_engine import Vllm

Schema = dict[str, Any] | None
Words = Mapping[str, Any]  # `verbatim`, `clauses`, `things` and `begins` of a request
Answers = Callable[[Sequence[Sequence[Message]], Sequence[Schema], Sequence[Words], float, int], list[str]]
LONGEST = 1400  # tokens of an answer
MOST = 1000  # questions of one turn


@contextmanager
def by_engine(folder: Path) -> Iterator[Answers]:
    """Asked of the model in a folder as `export` writes it, all at once."""
    engine = Vllm(str(folder), dtype="float32", eager=True, guided=True)
    engine.load()
    with asyncio.Runner() as runner:
        try:
            yield lambda *asked: runner.run(_all(engine, *asked))
        finally:
            engine.close()


async def _all(
    engine: Vllm,
    asked: Sequence[Sequence[Message]],
    schemas: Sequence[Schema],
    words: Sequence[Words],
    temperature: float,
    turn: int,
) -> list[str]:
    async def one(seed: int, messages: Sequence[Message], schema: Schema, held: Words) -> str:
        request = ChatRequest(
            messages=list(messages),
            max_tokens=LONGEST,
            temperature=temperature,
            seed=seed,
            json_schema=schema,
            **held,
        )
        return "".join([delta.text async for delta in engine.generate(request)])

    told = (one(seed, *each) for seed, each in enumerate(zip(asked, schemas, words, strict=True), turn * MOST))
    return list(await asyncio.gather(*told))


def by_teacher(asked: Sequence[Sequence[Message]], *_: object) -> list[str]:
    return [answer(messages, index) for index, messages in enumerate(asked)]
