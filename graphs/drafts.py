"""A text that a model writes: read out as it comes, checked, and sent back once with what is wrong."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from contracts import prompts
from contracts.chat import ChatRequest, Message
from contracts.engines import Chat
from contracts.errors import EngineFailed
from contracts.livestream import Copy, Draft
from graphs.advertising import lawful
from graphs.spare import spare_of

LONGEST = 32_768  # tokens of an answer


@dataclass(frozen=True)
class Wanted:
    """`problem` says what is wrong with a text, in words; empty: nothing. `cut` shortens one that failed twice.

    `facts` are words that must stand in the text, whatever advertising law has against them.
    """

    messages: list[Message]
    problem: Callable[[str], str]
    facts: Sequence[str] = ()
    cut: Callable[[str], str] | None = None
    seed: int | None = None

    def request(self, messages: list[Message]) -> ChatRequest:
        """With room for twice what was said, and a page more."""
        said = sum(len(message.content) for message in self.messages)
        return ChatRequest(messages=messages, max_tokens=min(1024 + 2 * said, LONGEST), seed=self.seed)

    def copy_of(self, answer: str, model: str) -> Copy:
        """What a model answered, with forbidden terms replaced."""
        text, flags = lawful(answer.strip(), self.facts)
        return Copy(text=text, flags=flags, model=model)


async def drafted(chat: Chat, wanted: Wanted) -> AsyncGenerator[Draft | Copy]:
    """Drafts as the model writes, and last the text; it is checked as it is returned, with forbidden terms replaced.

    A faulty answer is sent back once, and a draft says that the text begins anew. After two of them the model's spare
    writes; where there is none, they are `EngineFailed`.
    """
    try:
        async with aclosing(_twice(chat, wanted)) as items:
            async for item in items:
                yield item
    except EngineFailed:
        if not (spare := spare_of(chat)):
            raise
        yield Draft(text="", restarted=True)
        async with aclosing(_twice(spare, wanted)) as items:
            async for item in items:
                yield item


async def _twice(chat: Chat, wanted: Wanted) -> AsyncGenerator[Draft | Copy]:
    messages = wanted.messages
    while True:
        answer, finish = "", None
        async with aclosing(chat.generate(wanted.request(messages))) as deltas:
            async for delta in deltas:
                answer, finish = answer + delta.text, delta.finish
                yield Draft(text=delta.text)
        copy = await asyncio.to_thread(wanted.copy_of, answer, chat.model)  # hostile texts take a while
        problem = _problem(copy.text, finish == "length", wanted)
        if not problem:
            yield copy
            return
        if messages is not wanted.messages:
            yield _cut(copy, wanted, problem)
            return
        messages = prompts.repair_copy(messages, answer, problem)
        yield Draft(text="", restarted=True)


def _problem(text: str, ended_early: bool, wanted: Wanted) -> str:
    if ended_early:
        return "没有写完"
    return wanted.problem(text) if text else "没有写出内容"


def _cut(copy: Copy, wanted: Wanted, problem: str) -> Copy:
    """A beginning of the text that has no problem. That there is none is `EngineFailed`."""
    text = wanted.cut(copy.text) if wanted.cut else ""
    if not text or wanted.problem(text):
        raise EngineFailed(f"模型写了两次都不合要求：{problem}")
    return copy.model_copy(update={"text": text, "flags": [flag for flag in copy.flags if flag.end <= len(text)]})
