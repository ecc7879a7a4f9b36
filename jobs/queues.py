"""What waits and what runs, by kind of job."""

from sqlalchemy import case, func, select

from contracts.model import Contract
from jobs.records import ALIVE
from store.database import Database, now_ms
from store.tables import GOING_ON, JobRow


class Queue(Contract):
    """`oldest_s`: how long the first of those that wait has waited."""

    kind: str
    queued: int
    running: int
    oldest_s: float


def queues(database: Database) -> list[Queue]:
    """Of each kind that has jobs which have not ended. Blocking."""
    is_queued = JobRow.state == "queued"
    asked = (
        select(
            JobRow.kind,
            func.count().filter(is_queued),
            func.count().filter(~is_queued),
            func.min(case((is_queued, JobRow.created_ms))),
        )
        .where(GOING_ON, JobRow.state.in_(ALIVE))
        .group_by(JobRow.kind)
        .order_by(JobRow.kind)
    )
    with database.session() as session:
        rows = session.execute(asked).all()
    now = now_ms()
    return [
        Queue(kind=kind, queued=queued, running=running, oldest_s=max(0, now - oldest) / 1000 if oldest else 0)
        for kind, queued, running, oldest in rows
    ]
