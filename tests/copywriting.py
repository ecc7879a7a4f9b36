"""Chat models for tests of copy: the scripted engine beside the test, and one that says what it is told."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from contracts.chat import ChatDelta, ChatRequest
from contracts.livestream import Copy, Draft
from deployments.chat.scripted import Scripted
from deployments.streams import threaded


class Near:
    """The scripted engine as a replica runs it: in threads, closed when the caller leaves."""

    model = "scripted"

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        async with aclosing(threaded(Scripted().generate(request))) as deltas:
            async for delta in deltas:
                yield delta


class Says:
    """Gives these answers one after another, four characters at a time, and remembers what it was asked."""

    model = "says"

    def __init__(self, *answers: str, finish: str = "stop") -> None:
        self.answers, self.finish = list(answers), finish
        self.asked: list[ChatRequest] = []
        self.running = False

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.asked.append(request)
        self.running, answer = True, self.answers.pop(0)
        try:
            for start in range(0, len(answer), 4):
                yield ChatDelta(text=answer[start : start + 4])
            yield ChatDelta.model_validate({"text": "", "finish": self.finish if self.answers else "stop"})
        finally:
            self.running = False


async def drafts(items: AsyncGenerator[Draft | Copy]) -> tuple[list[str], Copy]:
    """What was read out, one text for each beginning, and the checked text."""
    texts = [""]
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Copy):
                return texts, item
            texts = [*texts, ""] if item.restarted else [*texts[:-1], texts[-1] + item.text]
    raise AssertionError("no checked text")
