"""A text that is being written, as one answer or as server-sent events."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

from fastapi.responses import JSONResponse, Response
from sse_starlette import ServerSentEvent

from api.files import GENERATED
from api.live.envelope import Envelope, failed
from api.sse import HeldEvents
from api.state import State
from contracts.errors import ServiceError
from contracts.livestream import Copy, Draft
from graphs.livestream import final

Result = TypeVar("Result", bound=Copy)
Told = Callable[[Result], Envelope[Any]]


async def answered(
    state: State,
    items: AsyncGenerator[Draft | Result],
    told: Told[Result],
    stream: bool,
    named: str = "",
    chat: str = "",
) -> Response:
    """Who asks for a stream and is refused before the first word gets the refusal as a plain answer.

    `named` by the caller, or `chat`: the model that should write. A header tells when another one does.
    """
    wanted = named or chat
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        if not stream:
            copy = await final(items)
            headers = GENERATED | _instead(copy.model or chat, wanted)
            return JSONResponse(_answer(copy, told, chat), headers=headers)
        await held.enter_async_context(aclosing(items))
        first = await anext(items)
        return HeldEvents(_events(first, items, told, chat), held.pop_all(), GENERATED | _instead(chat, wanted))


def _instead(model: str, wanted: str) -> dict[str, str]:
    """The header that tells of a model which writes in the place of the wanted one."""
    return {"X-Troupe-Model": model} if model != wanted else {}


async def _events(
    first: Draft | Result, items: AsyncGenerator[Draft | Result], told: Told[Result], chat: str
) -> AsyncIterator[ServerSentEvent]:
    """`delta` and `restart` as the text is written; last `result`, the plain answer, or `error`."""
    try:
        yield _event(first, told, chat)
        async for item in items:
            yield _event(item, told, chat)
    except ServiceError as error:
        yield _sent("error", failed(error))


def _event(item: Draft | Result, told: Told[Result], chat: str) -> ServerSentEvent:
    if not isinstance(item, Draft):
        return _sent("result", _answer(item, told, chat))
    return _sent("restart", {}) if item.restarted else _sent("delta", {"text": item.text})


def _answer(copy: Result, told: Told[Result], chat: str) -> dict[str, Any]:
    """The envelope; its `msg` says so when another than `chat` wrote."""
    answer = told(copy)
    if copy.model not in ("", chat):
        answer.msg += f"（由 {copy.model} 完成）"
    return answer.model_dump()


def _sent(event: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=event)
