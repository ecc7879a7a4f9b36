"""WebSockets: who opens one, how many, and the loop that tells of the caller's own jobs until either side leaves."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from api.auth import admitted
from api.callers import Caller
from api.family import STATUS
from api.rates import CROWD
from api.state import State
from contracts.errors import Forbidden, Overloaded, ServiceError
from contracts.jobs import Event

SEND_S = 10.0  # who does not take a message within this is gone
TRY_AGAIN_LATER = 1013
MOST_LISTENERS = 64  # of one caller, at one ingress replica
_open: Counter[str] = Counter()
MessagesOf = Callable[[Event], Iterable[dict[str, Any]]]


async def caller_at(socket: WebSocket, state: State, token: str = "") -> Caller:
    """Whoever a request would come from; browsers send no headers with a socket, so a token may be in its query.

    A `ServiceError` before anything is accepted: `deny` it.
    """
    caller = await admitted(state, await state.callers.of(socket, token))
    if caller.owner == caller.address and _is_foreign(socket, state):
        raise Forbidden("其他网站的页面不能连接；如属自己的前端，请在 cors_origins 里允许它的来源。")
    return caller


def _is_foreign(socket: WebSocket, state: State) -> bool:
    """Opened by a page of another origin, whom no browser asks first: it would see what belongs to the address."""
    origin = socket.headers.get("origin", "")
    own = not origin or origin.partition("://")[2] == socket.headers.get("host", "")
    return not own and {origin, "*"}.isdisjoint(state.settings.cors_origins)


async def deny(socket: WebSocket, error: ServiceError) -> None:
    """Refuse a socket that was not accepted."""
    await socket.send_denial_response(JSONResponse({"detail": error.message}, STATUS[error.code]))


@contextmanager
def seat(caller: Caller, kind: str, most: int) -> Iterator[None]:
    """One of the sockets of a kind that a caller may have open at once, or `Overloaded`.

    Who shows nothing can be anybody, by throwing the cookie away: all at one address have a bound too.
    """
    rooms = {f"{kind} {caller.owner}": most}
    if caller.address:
        rooms[f"{kind} crowd {caller.address}"] = most * CROWD
    if any(_open[name] >= room for name, room in rooms.items()):
        raise Overloaded(f"同时打开的连接过多，最多 {most} 个。")
    _open.update(rooms.keys())
    try:
        yield
    finally:
        _open.subtract(rooms.keys())
        for name in [name for name in rooms if not _open[name]]:
            del _open[name]


async def tell(socket: WebSocket, state: State, caller: Caller, since: int | None, messages_of: MessagesOf) -> None:
    """Accept, and send the messages of the caller's events from now on, or since a time (milliseconds since 1970)."""
    try:
        with seat(caller, "listener", MOST_LISTENERS):
            await _tell(socket, state, caller.owners, since, messages_of)
    except Overloaded as error:
        await deny(socket, error)


async def _tell(
    socket: WebSocket, state: State, owners: tuple[str, ...], since: int | None, messages_of: MessagesOf
) -> None:
    await socket.accept()
    sender = asyncio.create_task(_send(socket, state, owners, since, messages_of))
    try:
        while not sender.done():
            await _next_message(socket, sender)
        await sender  # what it failed of is this connection's failure
    except WebSocketDisconnect:
        pass
    finally:
        sender.cancel()  # also when the server itself gives the connection up


async def _next_message(socket: WebSocket, sender: asyncio.Task[None]) -> None:
    """Read, so that a close is seen; what a client says is of no interest."""
    reading = asyncio.create_task(socket.receive())
    try:
        await asyncio.wait({reading, sender}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()
    if reading.done() and reading.result()["type"] == "websocket.disconnect":
        raise WebSocketDisconnect


async def _send(
    socket: WebSocket, state: State, owners: tuple[str, ...], since: int | None, messages_of: MessagesOf
) -> None:
    with suppress(WebSocketDisconnect, TimeoutError):
        async with aclosing(state.feed.listen(owners, since)) as events:
            async for event in events:
                for message in messages_of(event):
                    async with asyncio.timeout(SEND_S):  # `wait_for` can forget that it was cancelled
                        await socket.send_json(message)
        await socket.close(TRY_AGAIN_LATER)
