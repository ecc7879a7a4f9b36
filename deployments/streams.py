"""Blocking engines on an event loop."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import aclosing, suppress
from typing import TypeVar

from contracts.errors import Unavailable

T = TypeVar("T")
ASK_S = 1.0
FIRST_S, RETRY_S = 30.0, 10.0
_DONE = object()


def asynchronous(items: Iterator[T] | AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Whatever an engine gives, on the event loop. Use it within `aclosing`."""
    return items if isinstance(items, AsyncGenerator) else threaded(items)


async def threaded(items: Iterator[T], pool: Executor | None = None) -> AsyncGenerator[T]:
    """Iterate a blocking generator in threads. When the caller leaves, the step under way ends and it is closed.

    Use it within `aclosing`: a generator that is merely dropped is closed some time later. `pool`: of its threads; the
    loop's own has a few, which is too few for many that wait for one another.
    """
    loop, step = asyncio.get_running_loop(), None
    try:
        while True:
            step = loop.run_in_executor(pool, next, items, _DONE)
            if (item := await asyncio.shield(step)) is _DONE:
                return
            yield item  # type: ignore[misc]  # an object that is not _DONE is a T
    finally:
        if step is not None:
            await asyncio.wait([step])
        if close := getattr(items, "close", None):
            await loop.run_in_executor(pool, close)


async def begun(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The items; `Unavailable` when the first is not there in time.

    Serve holds a call while a model restarts, which takes minutes with a large one. Who waits at a connection can do
    better.
    """
    async with aclosing(items):
        try:
            async with asyncio.timeout(FIRST_S):
                item: object = await anext(items, _DONE)
        except TimeoutError:
            raise Unavailable("模型正在启动或过于繁忙，请稍后再试。", retry_after_s=RETRY_S) from None
        while item is not _DONE:
            yield item  # type: ignore[misc]  # an object that is not _DONE is a T
            item = await anext(items, _DONE)


async def wanted(items: AsyncGenerator[T], check: Callable[[], None]) -> AsyncGenerator[T]:
    """The items until `check`, asked before the first and then about once a second, raises; they are closed.

    Ray ends the call of a caller that leaves or dies; one that stands still cannot end it, and others go on without it.
    """
    next_s = time.monotonic()
    async with aclosing(items):
        while True:
            if time.monotonic() >= next_s:
                with suppress(Unavailable):  # who could be asked is away: it goes on
                    await asyncio.to_thread(check)
                next_s = time.monotonic() + ASK_S
            try:
                yield await anext(items)
            except StopAsyncIteration:
                return
