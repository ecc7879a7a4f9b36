"""Blocking engines on an event loop."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import TypeVar

T = TypeVar("T")
_DONE = object()


async def threaded(items: Iterator[T]) -> AsyncGenerator[T]:
    """Iterate a blocking generator in threads. When the caller leaves, the step under way ends and it is closed.

    Use it within `aclosing`: a generator that is merely dropped is closed some time later.
    """
    step: asyncio.Task[object] | None = None
    try:
        while True:
            step = asyncio.create_task(asyncio.to_thread(next, items, _DONE))
            if (item := await asyncio.shield(step)) is _DONE:
                return
            yield item  # type: ignore[misc]  # an object that is not _DONE is a T
    finally:
        if step is not None:
            await asyncio.wait([step])
        if close := getattr(items, "close", None):
            await asyncio.to_thread(close)
