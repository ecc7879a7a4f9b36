"""The notifications of the caller's own tasks, over a WebSocket."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from api.auth import caller_of
from api.callers import Caller
from api.state import Here
from contracts.errors import Unauthenticated
from contracts.jobs import Event
from contracts.tasks import SEGMENTS, VIDEOGEN

router = APIRouter()
SEND_S = 10.0  # who does not take a message within this is gone
TRY_AGAIN_LATER = 1013
KINDS = frozenset({*SEGMENTS, VIDEOGEN})


@router.websocket("/ws/notifications")
async def notifications(
    socket: WebSocket,
    state: Here,
    token: Annotated[str, Query()] = "",
    since: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> None:
    """Messages from now on; with `since` (milliseconds since 1970) also those that came after it."""
    try:
        caller = await asyncio.to_thread(caller_of, state, token)
    except Unauthenticated as error:
        return await socket.send_denial_response(JSONResponse({"detail": error.message}, 401))
    await socket.accept()
    sender = asyncio.create_task(_send(socket, state, caller, since))
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


async def _send(socket: WebSocket, state: Here, caller: Caller, since: int | None) -> None:
    with suppress(WebSocketDisconnect, TimeoutError):
        async for event in state.feed.listen(caller.owner, since):
            if message := message_of(event):
                await asyncio.wait_for(socket.send_json(message), SEND_S)
        await socket.close(TRY_AGAIN_LATER)


def message_of(event: Event) -> dict[str, Any] | None:
    """The documented message of an event; None when it has none."""
    state = event.data.get("state")
    if event.kind != "state" or event.job.kind not in KINDS or state not in ("completed", "failed", "cancelled"):
        return None
    task = {name: event.job.params[name] for name in ("task_id", "segment_id")}
    if state == "completed":
        return {
            "type": "segment_finished",
            **task,
            "status": "completed",
            "resources": event.data["result"]["resources"],
        }
    return {"type": "segment_failed", **task, "status": "failed", "error": event.data["error"]}
