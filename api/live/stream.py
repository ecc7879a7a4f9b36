"""A text that is being written, as one answer or as server-sent events."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from types import MappingProxyType
from typing import Any, TypeVar

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sse_starlette import ServerSentEvent

from api.files import GENERATED
from api.live.envelope import failed
from api.sse import HeldEvents
from api.state import State
from contracts.engines import Chat
from contracts.errors import ServiceError
from contracts.livestream import Copy, Draft
from graphs.livestream import final

Result = TypeVar("Result", bound=Copy)
Told = Callable[[Result], BaseModel]


async def answered(
    state: State,
    items: AsyncGenerator[Draft | Result],
    told: Told[Result],
    stream: bool,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Who asks for a stream and is refused before the first word gets the refusal as a plain answer."""
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        if not stream:
            return JSONResponse(told(await final(items)).model_dump(), headers={**GENERATED, **headers})
        await held.enter_async_context(aclosing(items))
        first = await anext(items)
        return HeldEvents(_events(first, items, told), held.pop_all(), {**GENERATED, **headers})


def instead(chat: Chat, named: str) -> dict[str, str]:
    """The header that tells of a model which writes in the place of the one that was named."""
    return {"X-Troupe-Model": chat.model} if named not in ("", chat.model) else {}


async def _events(
    first: Draft | Result, items: AsyncGenerator[Draft | Result], told: Told[Result]
) -> AsyncIterator[ServerSentEvent]:
    """`delta` and `restart` as the text is written; last `result`, the plain answer, or `error`."""
    try:
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
