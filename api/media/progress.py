"""The progress of the caller's own trainings, over a WebSocket."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket

from api.media.trainings import KINDS, STATUS, percent, task_id_of
from api.sockets import caller_at, deny, tell
from api.state import Here
from contracts.errors import ServiceError
from contracts.jobs import Event
from contracts.platform import ONE_CLICK, Figures

router = APIRouter()
MOST_TASKS = 100


@router.websocket("/ws/training")
async def training_progress(
    socket: WebSocket,
    state: Here,
    token: Annotated[str, Query()] = "",
    since: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    task_id: Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=MOST_TASKS)] = [],  # noqa: B006
) -> None:
    """Messages from now on; with `since` (milliseconds since 1970) also those that came after it.

    `task_id`, once or several times: of these trainings only.
    """
    try:
        caller = await caller_at(socket, state, token)
    except ServiceError as error:
        return await deny(socket, error)
    await tell(socket, state, caller, since, partial(messages_of, wanted=frozenset(task_id)))


def messages_of(event: Event, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """The documented messages of an event; `wanted`: of these tasks only, none: of all. A failure has two."""
    if event.job.kind not in (*KINDS, ONE_CLICK):
        return
    task_id = task_id_of(event.job)
    if wanted and task_id not in wanted:
        return
    if event.kind == "progress":
        progress = {"progress": percent(event.data["progress"]), "metrics": _metrics(event.data.get("figures"))}
        yield _message("progress", task_id, **progress)
        return
    state = event.data["state"]
    yield _message("status", task_id, status=STATUS[state])
    if state in ("failed", "cancelled"):
        yield _message("error", task_id, message=event.data["error"])


def _message(kind: str, task_id: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"task_id": task_id, **data}}


def _metrics(figures: dict[str, Any] | None) -> dict[str, float]:
    """The loss is one of them, as soon as it is known."""
    if not figures:
        return {}
    known = Figures.model_validate(figures)
    return {"loss": known.loss, **known.metrics}
