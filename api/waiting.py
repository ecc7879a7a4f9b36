"""Calls that are documented as synchronous: jobs inside, for whose end the caller waits."""

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated

from fastapi import Depends, Header

from api.state import State
from contracts.errors import Cancelled, Deadline, error_of
from contracts.jobs import Job, JobView

ENDED = frozenset({"completed", "failed", "cancelled"})


async def finished(state: State, job: Job) -> JobView:
    """The job, once it is completed; how it failed is raised. Who leaves, or waits too long, finds it under its id."""
    view = await awaited(state, job)
    if view.state not in ENDED:
        raise Deadline(f"处理时间过长，任务仍在进行：{job.id}")
    return view


async def awaited(state: State, job: Job) -> JobView:
    """The same, but whoever has waited too long gets it as far as it is."""
    created_ms = (await asyncio.to_thread(state.jobs.records.get, job.id, job.owner)).created_ms
    with suppress(TimeoutError):
        async with asyncio.timeout(state.settings.sync_s):
            await _ended(state, job, created_ms)
    view = await asyncio.to_thread(state.jobs.records.get, job.id, job.owner)
    if view.state == "failed":
        raise error_of(view.error_code or "internal", view.error)
    if view.state == "cancelled":
        raise Cancelled(view.error)
    return view


async def _ended(state: State, job: Job, since_ms: int) -> None:
    """Until the log tells of its end; a listener that fell behind comes again."""
    while True:
        async with aclosing(state.feed.listen(job.owner, since_ms)) as events:
            async for event in events:
                if event.job.id == job.id and event.data.get("state") in ENDED:
                    return


async def _prefers_async(prefer: Annotated[str, Header()] = "") -> bool:
    """RFC 7240."""
    return "respond-async" in [part.strip().partition(";")[0].lower() for part in prefer.split(",")]


PrefersAsync = Annotated[bool, Depends(_prefers_async)]
