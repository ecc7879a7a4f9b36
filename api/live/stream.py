"""A text that is being written, as one answer or as server-sent events."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.files import GENERATED
from api.live.envelope import failed
from api.state import State
from contracts.errors import ServiceError
from contracts.livestream import Copy, Draft
from graphs.livestream import final

Result = TypeVar("Result", bound=Copy)
Told = Callable[[Result], BaseModel]


async def answered(state: State, items: AsyncGenerator[Draft | Result], told: Told[Result], stream: bool) -> Response:
    """Who asks for a stream and is refused before the first word gets the refusal as a plain answer."""
    if not stream:
        with state.in_flight.one():
            return JSONResponse(told(await final(items)).model_dump(), headers=GENERATED)
    first = await anext(items)
    return EventSourceResponse(_events(state, first, items, told), headers=GENERATED)


async def _events(
    state: State, first: Draft | Result, items: AsyncGenerator[Draft | Result], told: Told[Result]
) -> AsyncIterator[ServerSentEvent]:
    """`delta` and `restart` as the text is written; last `result`, the plain answer, or `error`."""
    async with aclosing(items):
        try:
            with state.in_flight.one():
                yield _event(first, told)
                async for item in items:
                    yield _event(item, told)
        except ServiceError as error:
            yield _sent("error", failed(error))


def _event(item: Draft | Result, told: Told[Result]) -> ServerSentEvent:
    if not isinstance(item, Draft):
        return _sent("result", told(item).model_dump())
    return _sent("restart", {}) if item.restarted else _sent("delta", {"text": item.text})


def _sent(event: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=event)
