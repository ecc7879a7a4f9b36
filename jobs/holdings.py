"""What is kept, by subject: since when nothing of it runs, and how much room its files take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contracts.human import TRAIN
from contracts.platform import MANIFEST, TEACHING
from contracts.tasks import folder_of
from store.database import Database
from store.stories import CLOSED, subject_of
from store.tables import ArtifactRow, JobRow, Story


@dataclass(frozen=True)
class Task:
    """Of the story family; `job_id` is its newest job as it was when we looked."""

    id: int
    job_id: str | None
    created_ms: int


@dataclass(frozen=True)
class Holding:
    """`ended_ms`: when its newest job ended; of a task without a job, when it was made; None while it is in use."""

    subject: str
    ended_ms: int | None
    size_bytes: int
    task: Task | None = None

    @property
    def removal_began(self) -> bool:
        return self.task is not None and self.task.job_id == CLOSED


def look(database: Database) -> tuple[list[Holding], int]:
    """Everything, what ended first first, and the bytes of all artifacts together."""
    with database.session() as session:
        tasks = _tasks(session)  # before the jobs: one that is claimed in between is not the newest that we saw
        ended, lent, taught = _ended(session), _lent(session), _taught(session)
        sizes = _sizes(session, tasks)
    made: dict[str, int | None] = {subject: task.created_ms for subject, task in tasks.items()}
    used = {subject: None for subject, task in tasks.items() if folder_of(task.id) in lent} | dict.fromkeys(taught)
    holdings = [Holding(name, when, sizes[name], tasks.get(name)) for name, when in (made | ended | used).items()]
    return sorted(holdings, key=lambda each: each.ended_ms or 0), sizes.total()


def older(holdings: Sequence[Holding], before_ms: int) -> list[Holding]:
    return [each for each in holdings if each.ended_ms is not None and each.ended_ms < before_ms]


def oldest_over(holdings: Sequence[Holding], total_bytes: int, limit_bytes: float) -> list[Holding]:
    """Those to remove, in this order and no more than it takes, until the rest fits."""
    chosen = []
    for each in holdings:
        if total_bytes <= limit_bytes:
            break
        if each.size_bytes:
            chosen.append(each)
            total_bytes -= each.size_bytes
    return chosen


def _tasks(session: Session) -> dict[str, Task]:
    rows = session.execute(select(Story.id, Story.job_id, Story.created_ms))
    return {subject_of(task_id): Task(task_id, job_id, created_ms) for task_id, job_id, created_ms in rows}


def _ended(session: Session) -> dict[str, int | None]:
    run = func.count() - func.count(JobRow.finished_ms)
    rows = session.execute(select(JobRow.subject, func.max(JobRow.finished_ms), run).group_by(JobRow.subject))
    return {subject: None if running else ended_ms for subject, ended_ms, running in rows}


def _lent(session: Session) -> set[str]:
    """Folders with a picture that a job of perhaps another task has yet to use."""
    rows = session.scalars(select(JobRow.params).where(JobRow.finished_ms.is_(None)))
    return {_folder(params["picture"]) for params in rows if params.get("picture")}


def _taught(session: Session) -> set[str]:
    """The trainings whose models are there: they go when their owner removes them."""
    manifests = select(ArtifactRow.key).where(ArtifactRow.key.endswith(f"/{MANIFEST}"))
    kept = {key.removesuffix(f"/{MANIFEST}") for key in session.scalars(manifests)}
    rows = session.scalars(select(JobRow).where(JobRow.kind.in_((*TEACHING, TRAIN)), JobRow.state == "completed"))
    return {row.subject for row in rows if _model_of(row) in kept}


def _model_of(row: JobRow) -> str:
    """The folder of what a training has made: an avatar has one of its own, an adapter is a version beside others."""
    output = str(row.params.get("output", ""))
    return output if row.kind == TRAIN else f"{output}/{row.id}"


def _sizes(session: Session, tasks: dict[str, Task]) -> Counter[str]:
    """Bytes by subject: a file in a task's folder is the task's, another its job's; an upload elsewhere is nobody's."""
    newest_first = func.row_number().over(partition_by=ArtifactRow.key, order_by=ArtifactRow.created_ms.desc())
    rows = select(ArtifactRow.key, ArtifactRow.job_id, ArtifactRow.size_bytes, newest_first.label("place")).subquery()
    files = select(rows.c.key, rows.c.size_bytes, JobRow.subject).outerjoin(JobRow, JobRow.id == rows.c.job_id)
    folders = {folder_of(task.id): subject for subject, task in tasks.items()}
    sizes: Counter[str] = Counter()
    for key, size_bytes, subject in session.execute(files.where(rows.c.place == 1)):
        sizes[folders.get(_folder(key), subject or "")] += size_bytes
    return sizes


def _folder(key: str) -> str:
    """The first two parts of a key: of a task's file, `contracts.tasks.folder_of`."""
    return "/".join(key.split("/", 2)[:2])
