"""Jobs as the API sees them: submit, look, cancel. It runs nothing itself."""

import time
import uuid
from functools import cached_property
from typing import Any

from dbos import DBOSClient

from contracts.jobs import Job
from contracts.settings import Settings
from jobs import engine
from jobs.records import Claim, Records
from store.database import Database

LET_GO_S = 3.0  # how long a delete waits for a worker to drop a cancelled job


class Jobs:
    """Blocking: call it from a plain `def` route."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.records = settings, Records(database)

    @cached_property
    def _client(self) -> DBOSClient:
        return engine.client(self.settings)

    def submit(self, job: Job, subject: str, claim: Claim | None = None) -> None:
        """The row first, then the workflow of the same id: a crash between leaves a queued row, and no stray work.

        `claim(session)` runs in the transaction that makes the row, and may refuse.
        """
        self.records.create(job, subject, claim)
        options: Any = {"workflow_name": engine.WORKFLOW, "queue_name": engine.QUEUE, "workflow_id": job.id}
        self._client.enqueue(options | {"app_version": engine.VERSION}, job.id)

    def cancel(self, job_id: str, owner: str) -> bool:
        """False when it had already ended. Another's job is not found."""
        self.records.get(job_id, owner)
        cancelled = self.records.cancel(job_id)
        if cancelled:
            self._client.cancel_workflow(job_id, cancel_children=True)
        return cancelled

    def forget(self, subject: str) -> None:
        """Cancel the subject's jobs, wait until no worker holds one, and delete them with their events."""
        jobs = self.records.of_subject(subject)
        for job in jobs:
            if self.records.cancel(job.id):
                self._client.cancel_workflow(job.id, cancel_children=True)
        deadline = time.monotonic() + LET_GO_S
        while any(job.finished_ms is None for job in self.records.of_subject(subject)):
            if time.monotonic() > deadline:
                break  # its worker is gone; what comes to take the slot finds no row and does nothing
            time.sleep(0.05)
        self.records.delete_subject(subject)


def new_id() -> str:
    """Cannot be guessed: whoever knows an anonymous job's id may read it."""
    return uuid.uuid4().hex
