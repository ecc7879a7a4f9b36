"""Chat completions, whole or as server-sent events. Whoever leaves ends the model's work."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import ServerSentEvent

from api.adapters import check_served, find_adapter
from api.callers import Caller
from api.files import GENERATED
from api.limits import MIB, body_limit
from api.openai.answer import Completion
from api.openai.asked import NewCompletion
from api.openai.client import Client
from api.openai.envelope import failed
from api.openai.models import unknown
from api.sse import HeldEvents
from api.state import Here, State
from contracts.catalog import ModelSpec
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Cancelled, ServiceError

router = APIRouter(prefix="/v1/chat")
T = TypeVar("T")
BODY_BYTES = 4 * MIB  # a conversation of half a million characters, escaped


@router.post("/completions")
@body_limit(BODY_BYTES)
async def complete(body: NewCompletion, state: Here, caller: Client, request: Request) -> Response:
    """Refused before the first word, a stream is a plain refusal. `X-Troupe-Model`: the default in another's place."""
    asked, spec, name = await _asked(state, caller, body)
    headers = GENERATED | ({"X-Troupe-Model": spec.id} if body.model not in (None, "", name) else {})
    completion = Completion(name)
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        deltas = await held.enter_async_context(aclosing(state.engines.chats[spec.id].generate(asked)))
        if not body.stream:
            await _while_present(request, _all(deltas, completion))
            return JSONResponse(completion.whole(), headers=headers)
        first = await _while_present(request, _next(deltas))
        counted = bool(body.stream_options and body.stream_options.include_usage)
        return HeldEvents(_events(first, deltas, completion, counted), held.pop_all(), headers)


async def _asked(state: State, caller: Caller, body: NewCompletion) -> tuple[ChatRequest, ModelSpec, str]:
    """The request, the model that runs, and what it is called: an adapter of the caller's is called `base:adapter`."""
    asked, named = body.request(), body.model or ""
    adapter = await asyncio.to_thread(find_adapter, state, caller, named) if ":" in named else None
    if adapter is None:
        spec = _model(state, named)
        return asked, spec, spec.id
    check_served(state, adapter)
    return asked.model_copy(update={"adapter": adapter.key}), state.models.served[adapter.base], adapter.id


def _model(state: State, name: str | None) -> ModelSpec:
    """The one that is named or the default; with fallback, the default for one that is known but absent."""
    known = state.models.known.get(name or "") or state.models.served.get(name or "")
    if name and (known is None or known.capability != "chat"):
        raise unknown(name)
    return state.models.resolve("chat", name)


async def _all(deltas: AsyncGenerator[ChatDelta], completion: Completion) -> None:
    async for delta in deltas:
        completion.add(delta)


async def _next(deltas: AsyncGenerator[ChatDelta]) -> ChatDelta | None:
    return await anext(deltas, None)


async def _while_present(request: Request, answering: Coroutine[Any, Any, T]) -> T:
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


async def _events(
    first: ChatDelta | None, deltas: AsyncGenerator[ChatDelta], completion: Completion, counted: bool
) -> AsyncIterator[ServerSentEvent]:
    """Chunks, then `[DONE]`; or, last, an error. An error ends the stream without `[DONE]`, as its clients expect."""
    try:
        yield _sent(completion.begun())
        delta = first
        while delta:
            completion.add(delta)
            if delta.text:
                yield _sent(completion.piece(delta))
            delta = await _next(deltas)
        yield _sent(completion.ended())
        if counted:
            yield _sent(completion.counted())
        yield ServerSentEvent("[DONE]", sep="\n")
    except ServiceError as error:
        yield _sent(failed(error))


def _sent(data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), sep="\n")
