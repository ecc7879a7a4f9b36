"""Jobs as the API sees them: submit, look, cancel. It runs nothing itself."""

import logging
import time
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dbos import DBOSClient
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from contracts.errors import Overloaded
from contracts.jobs import Job
from contracts.settings import Settings
from jobs import engine, tracing
from jobs.records import Claim, Records, going
from store.database import Database, in_turn
from store.disk import check_room
from store.tables import GOING_ON, JobRow

log = logging.getLogger("troupe.jobs")
GOING = frozenset({"ENQUEUED", "DELAYED", "PENDING"})  # DBOS's words for a workflow that has not ended
BUSY_S = 10.0  # until one of an owner's jobs may have ended
LET_GO_S = 3.0  # how long a delete waits for a worker to drop a cancelled job


class Jobs:
    """Blocking: call it from a plain `def` route."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.records = settings, Records(database)

    @cached_property
    def _client(self) -> DBOSClient:
        return engine.client(self.settings)

    def submit(self, job: Job, subject: str, claim: Claim | None = None, callback_url: str = "") -> None:
        """The row first, then the workflow of the same id: a crash between leaves a queued row, and no stray work.

        A workflow that cannot be queued for now is left to `sweep`. `claim(session)` runs in the transaction that makes
        the row, and may refuse. The job's end is told to `callback_url`, if there is one. `Unavailable` when a disk is
        nearly full, `Overloaded` when the owner has as many jobs as it may.
        """
        check_room(self.settings)
        job = job.model_copy(update={"trace": tracing.carried()})
        self.records.create(job, subject, self._within_share(job.owner, claim), callback_url)
        try:
            self._enqueue(job.id, job.kind)
        except SQLAlchemyError:
            log.warning("a job could not be queued; the sweep will", exc_info=True, extra={"job": job.id})

    def _within_share(self, owner: str, claim: Claim | None) -> Claim | None:
        """The claim, and before it that its owner has no more jobs than allowed, this one included."""
        most = self.settings.caller_jobs
        if not most:
            return claim

        def counted(session: Session) -> None:
            in_turn(session, f"jobs of {owner}")  # calls that come together are counted one after another
            if going(session, owner) > most:
                raise Overloaded(f"同时进行的任务已达上限（{most} 个），请等其中一个结束后再试。", retry_after_s=BUSY_S)
            if claim:
                claim(session)

        return counted

    def sweep(self, before_ms: int) -> None:
        """Mend what a crash or a database that was away left half done, among the jobs made before a time.

        What was never enqueued is; what its workflow has ended without writing down how is failed; what is cancelled is
        let go of when there is no workflow (any more) that will.
        """
        alive, held = self.records.alive(before_ms), self._held(before_ms)
        status = self._status([*alive, *held])
        for job_id in alive:
            if job_id not in status:
                self._enqueue(job_id, self.records.kind(job_id))
            elif status[job_id] not in GOING:
                self.records.fail(job_id, "内部错误")
        for job_id in held:
            if status.get(job_id) not in GOING:
                self.records.let_go(job_id)

    def _held(self, before_ms: int) -> list[str]:
        """The jobs, made before a time, that are cancelled and that no worker has let go of."""
        held = GOING_ON, JobRow.state == "cancelled", JobRow.created_ms < before_ms
        with self.records.database.session() as session:
            return list(session.scalars(select(JobRow.id).where(*held)))

    def _status(self, job_ids: list[str]) -> dict[str, str]:
        """Of the workflows, as far as there are any."""
        if not job_ids:
            return {}
        found = self._client.list_workflows(workflow_ids=job_ids, load_input=False, load_output=False)
        return {each.workflow_id: each.status for each in found}

    def _enqueue(self, job_id: str, kind: str) -> None:
        queue = engine.TRAININGS if kind in engine.TRAINS else engine.QUEUE
        options: Any = {"workflow_name": engine.WORKFLOW, "queue_name": queue, "workflow_id": job_id}
        self._client.enqueue(options | {"app_version": engine.VERSION}, job_id)

    def cancel(self, job_id: str, *owners: str) -> bool:
        """False when it had already ended. Another's job is not found.

        What runs is stopped by its worker, which looks at the row; a workflow that DBOS cancels cannot tidy up.
        """
        waits = self.records.get(job_id, *owners).state == "queued"
        cancelled = self.records.cancel(job_id)
        if cancelled and waits:
            self._client.cancel_workflow(job_id)
        return cancelled

    def forget(self, subject: str) -> None:
        """Cancel the subject's jobs, wait until no worker holds one, and delete them, their events and their steps."""
        jobs = self.records.of_subject(subject)
        for job in jobs:
            self.records.cancel(job.id)
        deadline = time.monotonic() + LET_GO_S
        while any(job.finished_ms is None for job in self.records.of_subject(subject)):
            if time.monotonic() > deadline:
                break  # its worker is gone; who takes over finds no row and does nothing
            time.sleep(0.05)
        self.forget_steps([job.id for job in jobs])
        self.records.delete_subject(subject)

    def forget_steps(self, job_ids: Collection[str]) -> None:
        """Delete what the engine has written down of jobs that have ended."""
        self._client.delete_workflows(list(job_ids), delete_children=True)

    def ended(self, before_ms: int, limit: int, offset: int) -> list[str]:
        """Jobs whose workflow ended before a time, as far as the engine still knows of it, oldest first."""
        before = datetime.fromtimestamp(before_ms / 1000, UTC).isoformat()
        page: Any = {"limit": limit, "offset": offset, "load_input": False, "load_output": False}
        found = self._client.list_workflows(completed_before=before, has_parent=False, **page)
        return [workflow.workflow_id for workflow in found]


def new_id() -> str:
    """Cannot be guessed: whoever knows an anonymous job's id may read it."""
    return uuid.uuid4().hex
