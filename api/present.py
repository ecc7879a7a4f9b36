"""Work for somebody who waits at a connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from contracts.errors import Cancelled

T = TypeVar("T")


async def while_present(request: Request, answering: Coroutine[Any, Any, T]) -> T:
    """Give up an answer for which nobody waits any more."""
    answer, leaving = asyncio.create_task(answering), asyncio.create_task(_left(request))
    try:
        await asyncio.wait([answer, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Cancelled("调用方已离开。")
        return await answer
    finally:
        answer.cancel()
        leaving.cancel()
        await asyncio.gather(answer, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
