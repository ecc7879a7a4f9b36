"""Jobs as Prometheus reads them: how many wait and for how long, and what those that ran took."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ray.util.metrics import Gauge, Histogram
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import ServiceError
from contracts.jobs import Job, Pipeline, Steps
from jobs.queues import queues
from store.database import Database

log = logging.getLogger("troupe.jobs")
EVERY_S = 10.0
Run = Callable[[Job, Steps], Awaitable[dict[str, Any]]]
STEPS_S = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000]
JOBS = Gauge("troupe_jobs", "Jobs that have not ended, by kind and state.", tag_keys=("kind", "state"))
OLDEST = Gauge("troupe_oldest_queued_seconds", "How long the first in the queue has waited.", tag_keys=("kind",))
RAN = Histogram(
    "troupe_job_seconds",
    "From a job's start on a worker to its end there; outcome: ok, left, fault or the code of a refusal.",
    boundaries=STEPS_S,
    tag_keys=("kind", "outcome"),
)


def watched(pipelines: Mapping[str, Pipeline]) -> dict[str, Pipeline]:
    """The same, counted."""
    return {kind: Pipeline(_counted(kind, pipeline.run), pipeline.part) for kind, pipeline in pipelines.items()}


def _counted(kind: str, run: Run) -> Run:
    async def counted(job: Job, steps: Steps) -> dict[str, Any]:
        began_s, outcome = time.monotonic(), "fault"
        try:
            result = await run(job, steps)
            outcome = "ok"
        except ServiceError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "left"
            raise
        finally:
            RAN.observe(time.monotonic() - began_s, {"kind": kind, "outcome": outcome})
        return result

    return counted


async def tell_forever(database: Database) -> None:
    """Every worker tells of all jobs: take the greatest."""
    known: set[str] = set()
    while True:
        try:
            found = {each.kind: each for each in await asyncio.to_thread(queues, database)}
        except SQLAlchemyError:
            log.warning("the jobs could not be counted", exc_info=True)
        else:
            known |= found.keys()
            for kind in known:
                queue = found.get(kind)
                JOBS.set(queue.queued if queue else 0, {"kind": kind, "state": "queued"})
                JOBS.set(queue.running if queue else 0, {"kind": kind, "state": "running"})
                OLDEST.set(queue.oldest_s if queue else 0, {"kind": kind})
        await asyncio.sleep(EVERY_S)
