"""A text that a model writes: read out as it comes, checked, sent back with what is wrong, asked for anew, mended."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from contracts import prompts
from contracts.chat import ChatDelta, ChatRequest, Message
from contracts.engines import Chat
from contracts.errors import ContextLength, EngineFailed
from contracts.livestream import Copy, Draft
from graphs.advertising import lawful
from graphs.facts import loops
from graphs.lengths import finished
from graphs.spare import spare_of

LONGEST = 32_768  # tokens of an answer
LOOKED_AT = 400  # characters, for a circle
MOST_SEED = 2**63 - 1  # that a request may have
TRIES = 3  # at once, told what is wrong, and anew: small models are lost in a text that went wrong, and not in another


@dataclass(frozen=True)
class Wanted:
    """`problem` says what is wrong with a text, in words; empty: nothing. `mend` makes a text right that the model did
    not, or gives it back.

    `facts` are words that must stand in the text, whatever advertising law has against them; `clauses` are those
    of a text that is told anew.
    """

    messages: list[Message]
    problem: Callable[[str], str]
    facts: Sequence[str] = ()
    mend: Callable[[str], str] | None = None
    seed: int | None = None
    clauses: Sequence[str] = ()

    def request(self, messages: list[Message], turn: int) -> ChatRequest:
        """With room for twice what was said, and a page more; the same turn draws the same answer."""
        said = sum(len(message.content) for message in self.messages)
        room = min(1024 + 2 * said, LONGEST)
        seed = None if self.seed is None else min(self.seed + turn, MOST_SEED)
        return ChatRequest(
            messages=messages, max_tokens=room, seed=seed, verbatim=list(self.facts), clauses=list(self.clauses)
        )

    def copy_of(self, answer: str, model: str) -> Copy:
        """What a model answered, with forbidden terms replaced."""
        text, flags = lawful(answer.strip(), self.facts)
        return Copy(text=text, flags=flags, model=model)


async def drafted(chat: Chat, wanted: Wanted) -> AsyncGenerator[Draft | Copy]:
    """Drafts as the model writes, and last the text; it is checked as it is returned, with forbidden terms replaced.

    A faulty answer is sent back once, a second one is forgotten; a draft says that the text begins anew. Of three the
    newest is mended that can be; else the model's spare writes, and where there is none, they are `EngineFailed`.
    """
    try:
        async with aclosing(_tries(chat, wanted)) as items:
            async for item in items:
                yield item
    except (EngineFailed, ContextLength):
        if not (spare := spare_of(chat)):
            raise
        yield Draft(text="", restarted=True)
        async with aclosing(_tries(spare, wanted)) as items:
            async for item in items:
                yield item


async def read(chat: Chat, request: ChatRequest, lost: Callable[[str], bool]) -> AsyncGenerator[ChatDelta]:
    """An answer as it comes; of one that is lost nothing can come any more: it ends there as one that is too long."""
    answer, seen = "", 0
    async with aclosing(chat.generate(request)) as deltas:
        async for delta in deltas:
            answer += delta.text
            yield delta
            if len(answer) > seen + LOOKED_AT // 4:
                seen = len(answer)
                if lost(answer):
                    yield ChatDelta(text="", finish="length")
                    return


def circling(answer: str) -> bool:
    """Whether it has come into a circle."""
    return loops(answer[-LOOKED_AT:])


async def _tries(chat: Chat, wanted: Wanted) -> AsyncGenerator[Draft | Copy]:
    messages, answers = wanted.messages, list[str]()
    may = any(loops(message.content) for message in messages)  # go round in a circle
    lost = (lambda answer: False) if may else circling
    for turn in range(TRIES):
        answer, finish = "", None
        try:
            async with aclosing(read(chat, wanted.request(messages, turn), lost)) as deltas:
                async for delta in deltas:
                    answer, finish = answer + delta.text, delta.finish
                    yield Draft(text=delta.text)
        except ContextLength:  # with what was wrong it is too long; without, it is not
            if messages is wanted.messages:
                raise
        copy = await asyncio.to_thread(wanted.copy_of, answer, chat.model)  # hostile texts take a while
        problem = await asyncio.to_thread(_problem, copy.text, finish == "length", wanted)
        if not problem:
            yield copy
            return
        answers.append(finished(answer) if finish == "length" else answer.strip())
        messages = wanted.messages if turn else prompts.repair_copy(messages, answer, problem)
        if turn < TRIES - 1:
            yield Draft(text="", restarted=True)
    yield await asyncio.to_thread(_mended, answers, wanted, chat.model, problem)


def _problem(text: str, ended_early: bool, wanted: Wanted) -> str:
    if not text:
        return "没有写出内容"
    if loops(text) and not any(loops(message.content) for message in wanted.messages):
        return "一再重复"
    return "没有写完" if ended_early else wanted.problem(text)


def _mended(answers: Sequence[str], wanted: Wanted, model: str, problem: str) -> Copy:
    """The newest that can be. That there is none is `EngineFailed`."""
    for answer in filter(None, reversed(answers)):
        copy = wanted.copy_of(wanted.mend(answer) if wanted.mend else "", model)
        if not _problem(copy.text, False, wanted):
            return copy
    raise EngineFailed(f"模型写了三次都不合要求：{problem}")
