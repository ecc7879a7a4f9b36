"""WebSockets: who opens one, and the loop that tells of the caller's own jobs until either side leaves."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from api.auth import admitted
from api.callers import Caller
from api.state import State
from contracts.errors import Unauthenticated
from contracts.jobs import Event

SEND_S = 10.0  # who does not take a message within this is gone
TRY_AGAIN_LATER = 1013
MessagesOf = Callable[[Event], Iterable[dict[str, Any]]]


async def caller_at(socket: WebSocket, state: State, token: str = "") -> Caller:
    """Whoever a request would come from; browsers send no headers with a socket, so a token may be in its query.

    `Unauthenticated` before anything is accepted: `deny` it.
    """
    return await admitted(state, await state.callers.of(socket, token))


async def deny(socket: WebSocket, error: Unauthenticated) -> None:
    """Refuse a socket that was not accepted."""
    await socket.send_denial_response(JSONResponse({"detail": error.message}, 401))


async def tell(
    socket: WebSocket, state: State, owners: tuple[str, ...], since: int | None, messages_of: MessagesOf
) -> None:
    """Accept, and send the messages of the owners' events from now on, or since a time (milliseconds since 1970)."""
    await socket.accept()
    sender = asyncio.create_task(_send(socket, state, owners, since, messages_of))
    try:
        while not sender.done():
            await _next_message(socket, sender)
        await sender  # what it failed of is this connection's failure
    except WebSocketDisconnect:
        sender.cancel()


async def _next_message(socket: WebSocket, sender: asyncio.Task[None]) -> None:
    """Read, so that a close is seen; what a client says is of no interest."""
    reading = asyncio.create_task(socket.receive())
    await asyncio.wait({reading, sender}, return_when=asyncio.FIRST_COMPLETED)
    if not reading.done():
        reading.cancel()
    elif reading.result()["type"] == "websocket.disconnect":
        raise WebSocketDisconnect


async def _send(
    socket: WebSocket, state: State, owners: tuple[str, ...], since: int | None, messages_of: MessagesOf
) -> None:
    with suppress(WebSocketDisconnect, TimeoutError):
        async for event in state.feed.listen(owners, since):
            for message in messages_of(event):
                await asyncio.wait_for(socket.send_json(message), SEND_S)
        await socket.close(TRY_AGAIN_LATER)
