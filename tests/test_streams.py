"""Blocking engines on an event loop: who is not wanted any more stops, and closes what it had open."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest

from contracts.errors import Cancelled, Unavailable
from deployments import streams
from deployments.streams import begun, threaded, wanted


class Counted:
    """An engine without an end."""

    def __init__(self) -> None:
        self.made, self.closed = 0, False

    def __call__(self) -> Iterator[int]:
        try:
            while True:
                self.made += 1
                yield self.made
        finally:
            self.closed = True


@pytest.mark.parametrize("calls", [0, 1, 5])
async def test_it_goes_on_until_it_is_refused(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """And as long as nobody can say."""
    monkeypatch.setattr(streams, "ASK_S", 0.0)
    engine, answers = Counted(), iter([None, Unavailable("away")] * calls)

    def check() -> None:
        if error := next(answers, Cancelled("已取消")):
            raise error

    with pytest.raises(Cancelled):
        async for _ in wanted(threaded(engine()), check):
            pass
    assert engine.made == 2 * calls and engine.closed == (calls > 0)


async def test_it_is_not_asked_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ASK_S", 60.0)
    asked: list[None] = []
    items = wanted(threaded(iter(range(50))), lambda: asked.append(None))
    assert [item async for item in items] == list(range(50))
    assert len(asked) == 1


async def test_nobody_waits_for_ever_for_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for the others as long as it takes."""
    monkeypatch.setattr(streams, "FIRST_S", 0.1)
    closed: list[float] = []

    async def late(*pauses_s: float) -> AsyncGenerator[float]:
        try:
            for pause_s in pauses_s:
                await asyncio.sleep(pause_s)
                yield pause_s
        finally:
            closed.append(sum(pauses_s))

    with pytest.raises(Unavailable) as refused:
        async for _ in begun(late(5.0)):
            pass
    assert refused.value.retry_after_s
    assert [item async for item in begun(late(0.0, 0.2))] == [0.0, 0.2]
    assert [item async for item in begun(late())] == []
    assert closed == [5.0, 0.2, 0]
