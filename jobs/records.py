"""The job table and its event log: every change of a job's state is one transaction with its event."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Select, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from contracts.errors import NotFound
from contracts.jobs import Event, Job, JobView
from store.database import Database, in_turn, now_ms
from store.tables import GOING_ON, CallbackRow, EventRow, JobRow, LeaseRow

Claim = Callable[[Session], None]
ALIVE = ("queued", "running")
VIEWED = select(JobRow).options(joinedload(JobRow.callback))


class Records:
    """Blocking: call it in a thread."""

    def __init__(self, database: Database, lease: str = "") -> None:
        """`lease`: of the worker who writes; once it is lost, nothing it says of a job is taken."""
        self.database, self.lease = database, lease

    def create(self, job: Job, subject: str, claim: Claim | None = None, callback_url: str = "") -> None:
        """A queued job, and where its end is told. `claim` runs in the same transaction and may refuse."""
        new = {"state": "queued", "progress": 0.0, "message": "", "error": "", "result": {}, "created_ms": now_ms()}
        row = JobRow(**job.model_dump(exclude={"lease"}), **new, subject=subject)
        row.callback = CallbackRow(url=callback_url, next_ms=row.created_ms) if callback_url else None
        with self.database.session() as session:
            session.add(row)
            session.flush()
            _log(session, job.id, job.owner, "state", {"state": "queued"})
            if claim:
                claim(session)

    def start(self, job_id: str) -> Job | None:
        """The job, now running; None when it must not run (again)."""
        with self.database.session() as session:
            row = session.get(JobRow, job_id)
            if row is None or row.state not in ALIVE:
                return None
            if row.state == "queued":
                started = {"state": "running", "started_ms": now_ms()}
                if not self._change(session, job_id, started, {"state": "running"}):
                    return None
            return _job(row, self.lease)

    def report(self, job_id: str, fraction: float, message: str, figures: dict[str, Any] | None = None) -> None:
        """Progress of a running job; told of any other, nothing happens.

        `figures`: what else it tells on its way; its result has them under this name until it is completed.
        """
        data: dict[str, Any] = {"progress": round(fraction, 4), "message": message}
        told = data | ({"figures": figures} if figures is not None else {})
        changes = data | ({"result": {"figures": figures}} if figures is not None else {})
        with self.database.session() as session:
            self._change(session, job_id, changes, told, kind="progress", states=("running",))

    def complete(self, job_id: str, result: dict[str, Any]) -> bool:
        changes = {"state": "completed", "progress": 1.0, "result": result, "finished_ms": now_ms()}
        with self.database.session() as session:
            return self._change(session, job_id, changes, {"state": "completed", "result": result}, states=("running",))

    def fail(self, job_id: str, error: str, code: str = "internal") -> bool:
        changes = {"state": "failed", "error": error, "error_code": code, "finished_ms": now_ms()}
        with self.database.session() as session:
            return self._change(session, job_id, changes, {"state": "failed", "error": error})

    def cancel(self, job_id: str) -> bool:
        """False when it had ended. `finished_ms` of a running job is set by its worker, once it has let go."""
        changes: dict[str, Any] = {"state": "cancelled", "error": "已取消"}
        with self.database.session() as session:
            at_once = changes | {"finished_ms": now_ms()}
            return self._change(session, job_id, at_once, changes, states=("queued",)) or self._change(
                session, job_id, changes, changes, states=("running",)
            )

    def let_go(self, job_id: str) -> None:
        """The worker no longer touches the job nor anything of it."""
        with self.database.session() as session:
            held = update(JobRow).where(JobRow.id == job_id, JobRow.finished_ms.is_(None), JobRow.state == "cancelled")
            session.execute(held.values(finished_ms=now_ms()))

    def stopped(self, job_ids: Collection[str]) -> set[str]:
        """Those among them that must not go on: cancelled, or gone."""
        with self.database.session() as session:
            alive = session.scalars(select(JobRow.id).where(JobRow.id.in_(job_ids), JobRow.state == "running"))
            return set(job_ids) - set(alive)

    def get(self, job_id: str, *owners: str) -> JobView:
        """The job, if it is one of these owners'."""
        with self.database.session() as session:
            row = session.scalar(VIEWED.where(JobRow.id == job_id))
        if row is None or row.owner not in owners:
            raise NotFound("任务不存在。", param="job_id")
        return view(row)

    def alive(self, before_ms: int) -> list[str]:
        """The jobs, made before a time, that have not ended."""
        query = select(JobRow.id).where(GOING_ON, JobRow.state.in_(ALIVE), JobRow.created_ms < before_ms)
        with self.database.session() as session:
            return list(session.scalars(query))

    def kind(self, job_id: str) -> str:
        """Empty when it is gone."""
        with self.database.session() as session:
            return session.scalar(select(JobRow.kind).where(JobRow.id == job_id)) or ""

    def ended(self, job_id: str) -> bool:
        """Whether nothing more will be logged of it: it is done, or gone."""
        with self.database.session() as session:
            state = session.scalar(select(JobRow.state).where(JobRow.id == job_id))
        return state not in ALIVE

    def newest(self, owners: Collection[str], limit: int, before_ms: int) -> list[JobView]:
        """Newest first."""
        return self._newest(owners, limit, VIEWED.where(JobRow.created_ms < before_ms))

    def of_kinds(self, kinds: Collection[str], owners: Collection[str], limit: int) -> list[JobView]:
        """Newest first."""
        return self._newest(owners, limit, VIEWED.where(JobRow.kind.in_(kinds)))

    def _newest(self, owners: Collection[str], limit: int, wanted: Select[JobRow]) -> list[JobView]:
        """Asked for owner by owner: the index gives the newest of each, and of several together only all, to sort."""
        ordered = wanted.order_by(JobRow.created_ms.desc()).limit(limit)
        with self.database.session() as session:
            rows = [row for owner in owners for row in session.scalars(ordered.where(JobRow.owner == owner))]
            return [view(row) for row in sorted(rows, key=lambda row: -row.created_ms)[:limit]]

    def of_subject(self, subject: str) -> list[JobView]:
        """Oldest first."""
        query = VIEWED.where(JobRow.subject == subject).order_by(JobRow.created_ms)
        with self.database.session() as session:
            return [view(row) for row in session.scalars(query)]

    def delete_subject(self, subject: str) -> None:
        with self.database.session() as session:
            session.execute(delete(JobRow).where(JobRow.subject == subject))

    def events(self, after: int, *, owners: Collection[str] = (), job_id: str = "", limit: int = 500) -> list[Event]:
        """In the order logged; of nobody in particular: everybody's."""
        query = select(EventRow, JobRow).join(JobRow).where(EventRow.id > after).order_by(EventRow.id).limit(limit)
        query = query.where(EventRow.owner.in_(owners)) if owners else query
        query = query.where(EventRow.job_id == job_id) if job_id else query
        with self.database.session() as session:
            return [_event(event, job) for event, job in session.execute(query)]

    def last_event(self, before_ms: int) -> int:
        """The id of the last event logged before that time; 0 when there was none."""
        query = select(EventRow.id).where(EventRow.created_ms < before_ms).order_by(EventRow.id.desc()).limit(1)
        with self.database.session() as session:
            return session.scalar(query) or 0

    def _change(
        self,
        session: Session,
        job_id: str,
        changes: dict[str, Any],
        data: dict[str, Any],
        kind: str = "state",
        states: tuple[str, ...] = ALIVE,
    ) -> bool:
        """Change a job that is in one of the states, and log it; False when it is in another."""
        change = update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(states)).returning(JobRow.owner)
        if self.lease:
            change = change.where(exists().where(LeaseRow.holder == self.lease))
        owner = session.scalar(change.values(**changes))
        if owner is not None:
            _log(session, job_id, owner, kind, data)
        return owner is not None


def _log(session: Session, job_id: str, owner: str, kind: str, data: dict[str, Any]) -> None:
    in_turn(session, "events")  # numbered in the order in which they appear, or a reader would step over one
    session.execute(insert(EventRow).values(job_id=job_id, owner=owner, kind=kind, data=data, created_ms=now_ms()))


def _job(row: JobRow, lease: str = "") -> Job:
    return Job(id=row.id, kind=row.kind, owner=row.owner, params=row.params, trace=row.trace, lease=lease)


def view(row: JobRow) -> JobView:
    """The row as its owner sees it; its callback is loaded."""
    return JobView.model_validate(row, from_attributes=True)


def _event(row: EventRow, job: JobRow) -> Event:
    return Event(id=row.id, owner=row.owner, kind=row.kind, data=row.data, created_ms=row.created_ms, job=_job(job))


def going(session: Session, owner: str) -> int:
    """How many of an owner's jobs have not ended."""
    return session.scalar(select(func.count()).where(GOING_ON, JobRow.owner == owner, JobRow.state.in_(ALIVE))) or 0
