"""Runs jobs: takes them from the queue, drives their pipelines, writes down how they end."""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Any, NoReturn

from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import Cancelled, InvalidInput, ServiceError
from contracts.jobs import Job, Pipeline
from contracts.settings import Settings
from jobs import engine
from jobs.callbacks import Callbacks
from jobs.calls import Calls
from jobs.jobs import Jobs
from jobs.leases import BEAT_S, Lease
from jobs.patience import patiently
from jobs.records import Records
from jobs.retention import Retention, retain_forever
from jobs.steps import DurableSteps, outcome
from jobs.tracing import span
from store.artifacts import Artifacts
from store.database import Database, now_ms
from store.faults import told

log = logging.getLogger("troupe.jobs")
CANCEL_POLL_S = 0.2
SWEEP_S = 5.0
# What a worker awaits side by side; limits per model belong to Serve. Trainings that wait hold up nothing else.
AT_ONCE = {engine.QUEUE: 16, engine.TRAININGS: 8}


class Worker:
    """One a process, as DBOS is."""

    def __init__(self, settings: Settings, pipelines: Mapping[str, Pipeline]) -> None:
        database = Database(settings.tables_url)
        self.settings, self.pipelines = settings, pipelines
        self.calls, self.lease = Calls(), Lease(database)
        self.records, self.callbacks = Records(database, self.lease.holder), Callbacks(settings, database)
        self.retention = Retention(settings, Jobs(settings, database), Artifacts(settings))
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to take work, and to take over from workers that are gone."""
        global _worker
        _worker = self
        await asyncio.to_thread(self.lease.take)
        loops = (
            self.lease.keep(_leave),
            self._watch_cancels(),
            self._sweep(),
            self.callbacks.deliver_forever(),
            retain_forever(self.retention),
        )
        self._tasks = [asyncio.create_task(loop) for loop in loops]
        DBOS(config=engine.config(self.settings, self.lease.holder))
        DBOS.launch()
        for queue, most in AT_ONCE.items():
            await DBOS.register_queue_async(queue, worker_concurrency=most, polling_interval_sec=engine.POLL_S)
        self._tasks.append(asyncio.create_task(self._take_over()))

    def check(self) -> None:
        """Raise when a loop of this worker has died."""
        for task in self._tasks:
            if task.done():
                task.result()
                raise RuntimeError("A loop of the worker has ended.")

    async def run(self, job_id: str) -> None:
        """Does not return when another worker has taken over: what returns is written down as ended."""
        try:
            if job := await patiently(self.records.start, job_id):
                await self._drive(job)
        finally:
            await self.calls.drained(job_id)
            await patiently(self.records.let_go, job_id)
            await self._confirm()

    async def _drive(self, job: Job) -> None:
        try:
            with told(), span(job.kind, job):
                result = await self._pipeline(job).run(job, self._steps(job))
            await patiently(self.records.complete, job.id, result)
        except Cancelled:
            log.info("job cancelled", extra={"job": job.id})
        except ServiceError as error:
            await patiently(self.records.fail, job.id, error.message, error.code)
        except Exception:  # the outermost loop of a job: whatever a pipeline raises ends this job and no other
            if await patiently(self.records.fail, job.id, "内部错误"):
                log.exception("job failed", extra={"job": job.id})

    async def run_part(self, job_id: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """Neither returns nor fails when another worker has taken over."""
        try:
            job = await patiently(self.records.start, job_id)
            if job is None:
                raise Cancelled("已取消")
            part = self._pipeline(job).part
            if part is None:
                raise InvalidInput(f"A {job.kind} job has no parts.")
            with told(), span(f"{job.kind} part", job):
                return await part(job, item, self._steps(job))
        finally:
            await self._confirm()

    def _pipeline(self, job: Job) -> Pipeline:
        try:
            return self.pipelines[job.kind]
        except KeyError:
            raise InvalidInput(f"Nothing here runs {job.kind!r} jobs.", param="kind") from None

    def _steps(self, job: Job) -> DurableSteps:
        return DurableSteps(job, self.calls, self.records, part_workflow, self._confirm)

    async def _confirm(self) -> None:
        if not await self.lease.is_held():
            _leave()

    async def _watch_cancels(self) -> None:
        while True:
            try:
                if jobs := self.calls.jobs:
                    for job_id in await asyncio.to_thread(self.records.stopped, jobs):
                        self.calls.stop(job_id)
            except SQLAlchemyError:
                log.warning("cancelled jobs could not be looked up", exc_info=True)
            await asyncio.sleep(CANCEL_POLL_S)

    async def _take_over(self) -> None:
        """Go on with what workers without a lease have begun."""
        while True:
            try:
                await asyncio.to_thread(_recover, self.lease)
            except SQLAlchemyError:
                log.warning("abandoned work could not be looked up", exc_info=True)
            await asyncio.sleep(BEAT_S)

    async def _sweep(self) -> None:
        """Mend what crashes left half done; the database may be away for a while."""
        jobs = Jobs(self.settings, self.records.database)
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await asyncio.to_thread(jobs.sweep, now_ms() - int(SWEEP_S * 1000))
            except SQLAlchemyError:
                log.warning("the jobs could not be swept", exc_info=True)


_worker: Worker


@DBOS.workflow(name=engine.WORKFLOW)
async def job_workflow(job_id: str) -> None:
    await _worker.run(job_id)


@DBOS.workflow(name="part")
async def part_workflow(job_id: str, number: int, item: dict[str, Any]) -> dict[str, Any]:
    return await outcome(_worker.run_part(job_id, item))


def _recover(lease: Lease) -> None:
    begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    alive = lease.living()  # after the list: who began something in it had a lease by then
    if orphaned := {workflow.executor_id for workflow in begun if workflow.executor_id} - alive:
        DBOS._recover_pending_workflows(sorted(orphaned))


def _leave() -> NoReturn:
    """Somebody else goes on with the work: what this process still does would be done twice. Serve starts another."""
    log.critical("the worker's lease is lost")
    os._exit(1)
