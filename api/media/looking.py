"""What the routes that recognise have in common: a picture that is looked at, and of which nothing is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import UploadFile
from pydantic import Field

from api.state import State
from api.uploads import aside, look
from contracts.errors import Unavailable

ANSWER_S = 60.0
Confidence = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[list[int], Field(min_length=4, max_length=4, description="x1, y1, x2, y2 of the upright picture.")]
Answer = TypeVar("Answer")


async def seen(state: State, image: UploadFile, ask: Callable[[bytes], Awaitable[Answer]]) -> Answer:
    """What a model says of a picture that was checked; `Unavailable` when it says nothing in time."""
    with state.in_flight.one():
        picture = await aside(look, state, image, "image", "image")
        try:
            async with asyncio.timeout(ANSWER_S):
                return await ask(picture)
        except TimeoutError:
            raise Unavailable("模型没有及时回答，请稍后再试。", retry_after_s=5) from None


def rounded(values: Iterable[float]) -> list[int]:
    return [round(value) for value in values]
