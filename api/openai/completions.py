"""Chat completions, whole or as server-sent events. Whoever leaves ends the model's work."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import ServerSentEvent

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
from contracts.chat import ChatDelta
from contracts.errors import Cancelled, ServiceError, Unavailable

router = APIRouter(prefix="/v1/chat")
T = TypeVar("T")
FIRST_S, RETRY_S = 30.0, 10.0  # until the first word
BODY_BYTES = 4 * MIB  # a conversation of half a million characters, escaped


@router.post("/completions")
@body_limit(BODY_BYTES)
async def complete(body: NewCompletion, state: Here, caller: Client, request: Request) -> Response:
    """Refused before the first word, a stream is a plain refusal. `X-Troupe-Model`: the default in another's place."""
    asked, spec = body.request(), _model(state, body.model)
    headers = GENERATED | ({"X-Troupe-Model": spec.id} if body.model not in (None, "", spec.id) else {})
    completion = Completion(spec.id)
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        deltas = await held.enter_async_context(aclosing(state.engines.chats[spec.id].generate(asked)))
        if not body.stream:
            await _while_present(request, _all(deltas, completion))
            return JSONResponse(completion.whole(), headers=headers)
        first = await _while_present(request, _first(deltas))
        counted = bool(body.stream_options and body.stream_options.include_usage)
        return HeldEvents(_events(first, deltas, completion, counted), held.pop_all(), headers)


def _model(state: State, name: str | None) -> ModelSpec:
    """The one that is named or the default; with fallback, the default for one that is known but absent."""
    known = state.models.known.get(name or "") or state.models.served.get(name or "")
    if name and (known is None or known.capability != "chat"):
        raise unknown(name)
    return state.models.resolve("chat", name)


async def _first(deltas: AsyncGenerator[ChatDelta]) -> ChatDelta:
    """Serve holds a call while a model restarts, which takes minutes with a large one; its caller can do better."""
    try:
        async with asyncio.timeout(FIRST_S):
            return await anext(deltas)
    except TimeoutError:
        raise Unavailable("模型正在启动或过于繁忙，请稍后再试。", retry_after_s=RETRY_S) from None


async def _all(deltas: AsyncGenerator[ChatDelta], completion: Completion) -> None:
    completion.add(await _first(deltas))
    async for delta in deltas:
        completion.add(delta)


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
    first: ChatDelta, deltas: AsyncGenerator[ChatDelta], completion: Completion, counted: bool
) -> AsyncIterator[ServerSentEvent]:
    """Chunks, then `[DONE]`; or, last, an error. An error ends the stream without `[DONE]`, as its clients expect."""
    try:
        yield _sent(completion.begun())
        delta: ChatDelta | None = first
        while delta:
            completion.add(delta)
            if delta.text:
                yield _sent(completion.piece(delta))
            delta = await anext(deltas, None)
        yield _sent(completion.ended())
        if counted:
            yield _sent(completion.counted())
        yield ServerSentEvent("[DONE]", sep="\n")
    except ServiceError as error:
        yield _sent(failed(error))


def _sent(data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), sep="\n")
