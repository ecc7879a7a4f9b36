"""The caller's own jobs: list, look, follow, cancel."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.auth import Known
from api.state import Here, State
from contracts.jobs import Event, JobAnswer
from store.database import now_ms

router = APIRouter(prefix="/v1/jobs")
POLL_S = 0.25


class JobList(BaseModel):
    data: list[JobAnswer]


@router.get("")
def list_jobs(
    state: Here,
    caller: Known,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before_ms: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> JobList:
    """Newest first; `before_ms` of the last one gives the next page."""
    jobs = state.jobs.records.newest(caller.owners, limit, before_ms if before_ms is not None else now_ms() + 1)
    return JobList(data=[JobAnswer.of(job) for job in jobs])


@router.get("/{job_id}")
def get_job(job_id: str, state: Here, caller: Known) -> JobAnswer:
    return JobAnswer.of(state.jobs.records.get(job_id, *caller.owners))


@router.delete("/{job_id}")
def cancel_job(job_id: str, state: Here, caller: Known) -> JobAnswer:
    """Stops it; a job that has ended stays as it is."""
    state.jobs.cancel(job_id, *caller.owners)
    return JobAnswer.of(state.jobs.records.get(job_id, *caller.owners))


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def follow_job(
    job_id: str, state: Here, caller: Known, last_event_id: Annotated[int, Header(ge=0, lt=2**63)] = 0
) -> EventSourceResponse:
    """Server-sent events, `progress` and `state`, from the job's beginning until its end."""
    await asyncio.to_thread(state.jobs.records.get, job_id, *caller.owners)
    return EventSourceResponse(events(state, job_id, last_event_id))


async def events(state: State, job_id: str, after: int) -> AsyncIterator[ServerSentEvent]:
    """What was logged after an event, and what follows; ends with the job, also when it ended or went long ago."""
    ended = False
    batch: list[Event] = []
    while batch or not ended:
        ended = await asyncio.to_thread(state.jobs.records.ended, job_id)  # before the events: its last is among them
        batch = await asyncio.to_thread(state.jobs.records.events, after, job_id=job_id)
        for event in batch:
            after = event.id
            yield ServerSentEvent(json.dumps(public(event), ensure_ascii=False), event=event.kind, id=str(event.id))
        if not batch and not ended:
            await asyncio.sleep(POLL_S)


def public(event: Event) -> dict[str, object]:
    return {name: event.data[name] for name in ("state", "error", "progress", "message") if name in event.data}
