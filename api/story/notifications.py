"""The notifications of the caller's own tasks, over a WebSocket."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket

from api.auth import caller_of
from api.sockets import deny, tell
from api.state import Here
from contracts.errors import Unauthenticated
from contracts.jobs import Event
from contracts.tasks import SEGMENTS, VIDEOGEN

router = APIRouter()
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
        return await deny(socket, error)
    await tell(socket, state, caller, since, messages_of)


def messages_of(event: Event) -> Iterator[dict[str, Any]]:
    """The documented message of an event, if it has one."""
    state = event.data.get("state")
    if event.kind != "state" or event.job.kind not in KINDS or state not in ("completed", "failed", "cancelled"):
        return
    task = {name: event.job.params[name] for name in ("task_id", "segment_id")}
    if state == "completed":
        resources = event.data["result"]["resources"]
        yield {"type": "segment_finished", **task, "status": "completed", "resources": resources}
    else:
        yield {"type": "segment_failed", **task, "status": "failed", "error": event.data["error"]}
