"""Trainings as this family tells of them: their ids, how far they are, which of a caller's have not ended."""

import re
from collections.abc import Collection

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.callers import Caller
from api.human.training import find_training as find_human
from api.state import State
from contracts.errors import NotFound
from contracts.human import TRAIN
from contracts.jobs import Job, JobState, JobView
from contracts.platform import CLASSIFIER, LORA, MERGE, ONE_CLICK, Figures
from store.tables import JobRow

OURS = (CLASSIFIER, LORA, MERGE)
KINDS = (*OURS, TRAIN)
LIVE_TASK = "train_task_"  # what the ids of live commerce's trainings begin with
TASK_ID = re.compile(r"(train|lora|qlora|merge)_(?P<job>[0-9a-f]{32})")
STATUS: dict[JobState, str] = {
    "queued": "processing",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


class Status(BaseModel):
    """`progress` is 0–100; what is not known yet is 0, or empty. A stopped training has failed."""

    task_id: str
    status: str
    progress: int
    current_epoch: int
    total_epochs: int
    current_step: int
    total_steps: int
    loss: float
    learning_rate: float
    metrics: dict[str, float]


def task_id_of(job: Job | JobView | JobRow) -> str:
    """`train_…`, `lora_…`, `qlora_…`, `merge_…` and the job's id, which nobody can guess; the digital human's own."""
    if job.kind == TRAIN:
        return str(job.params["task_id"])
    if job.kind == ONE_CLICK:
        return f"{LIVE_TASK}{job.id}"
    words = {CLASSIFIER: "train", MERGE: "merge", LORA: "qlora" if job.params.get("quantized") else "lora"}
    return f"{words[job.kind]}_{job.id}"


def find_training(state: State, caller: Caller, task_id: str, kinds: Collection[str] = KINDS) -> JobView:
    """The caller's training of one of these kinds. Another's, or none: `NotFound`."""
    if named := TASK_ID.fullmatch(task_id):
        try:
            view = state.jobs.records.get(named["job"], *caller.owners)
        except NotFound:
            raise _unknown() from None
        if view.kind in OURS and view.kind in kinds and task_id_of(view) == task_id:
            return view
    elif TRAIN in kinds:
        return find_human(state, caller, task_id)
    raise _unknown()


def status_of(job: JobView) -> Status:
    """Also of one whose recipe has told nothing yet."""
    figures = Figures.model_validate(job.result.get("figures") or {"total_epochs": job.params.get("epochs", 0)})
    return Status(
        task_id=task_id_of(job),
        status=STATUS[job.state],
        progress=percent(job.progress),
        **figures.model_dump(),
    )


def percent(fraction: float) -> int:
    """100 only at the end."""
    return int(round(fraction * 100, 3))


def going(session: Session) -> list[JobRow]:
    """Everybody's trainings that may still read and write: not ended, or stopped and not let go of."""
    return list(
        session.scalars(select(JobRow).where(JobRow.kind.in_((*OURS, ONE_CLICK)), JobRow.finished_ms.is_(None)))
    )


def _unknown() -> NotFound:
    return NotFound("训练任务不存在。", param="task_id")
