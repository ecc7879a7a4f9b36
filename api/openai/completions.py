"""Chat completions, whole or as server-sent events. Whoever leaves ends the model's work."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import ServerSentEvent

from api.adapters import adapted, find_adapter
from api.callers import Caller
from api.files import GENERATED
from api.limits import MIB, body_limit
from api.openai.answer import Completion
from api.openai.asked import NewCompletion
from api.openai.client import Client
from api.openai.envelope import failed
from api.openai.models import find_model
from api.present import while_present
from api.sse import HeldEvents
from api.state import Here, State
from contracts.chat import ChatDelta
from contracts.engines import Chat
from contracts.errors import ServiceError

log = logging.getLogger("troupe.api")
router = APIRouter(prefix="/v1/chat")
BODY_BYTES = 4 * MIB  # a conversation of half a million characters, escaped


@router.post("/completions")
@body_limit(BODY_BYTES)
async def complete(body: NewCompletion, state: Here, caller: Client, request: Request) -> Response:
    """Refused before the first word, a stream is a plain refusal. `X-Troupe-Model`: the default in another's place."""
    asked, chat = body.request(), await _chat(state, caller, body.model or "")
    headers = GENERATED | ({"X-Troupe-Model": chat.model} if body.model not in (None, "", chat.model) else {})
    completion = Completion(chat.model)
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        deltas = await held.enter_async_context(aclosing(chat.generate(asked)))
        if not body.stream:
            await while_present(request, _all(deltas, completion))
            return JSONResponse(completion.whole(), headers=headers)
        first = await while_present(request, _next(deltas))
        counted = bool(body.stream_options and body.stream_options.include_usage)
        return HeldEvents(_events(first, deltas, completion, counted), held.pop_all(), headers)


async def _chat(state: State, caller: Caller, name: str) -> Chat:
    """The model that runs: an adapter of the caller's is called `base:adapter`."""
    if ":" in name and (adapter := await asyncio.to_thread(find_adapter, state, caller, name)):
        return adapted(state, adapter.base, adapter.key, adapter.id)
    return state.engines.chats[find_model(state, "chat", name).id]


async def _all(deltas: AsyncGenerator[ChatDelta], completion: Completion) -> None:
    async for delta in deltas:
        completion.add(delta)


async def _next(deltas: AsyncGenerator[ChatDelta]) -> ChatDelta | None:
    return await anext(deltas, None)


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
    except Exception:  # the outermost loop of a stream that has begun
        log.exception("a stream has broken off")
        yield _sent(failed(ServiceError("服务器内部错误")))


def _sent(data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), sep="\n")
