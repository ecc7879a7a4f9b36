"""Training of avatars: start, look."""

import re
from datetime import datetime
from itertools import count
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller
from api.files import file_response
from api.human.asked import avatar_model, fetched
from api.human.calling import said
from api.human.dialect import clock
from api.human.gpus import check_gpu
from api.human.parameters import parse
from api.human.paths import find_media, told
from api.human.voices import LONGEST_CONSENT, LONGEST_PATH, Name
from api.paths import home
from api.state import Here, State
from api.uploads import FormRoute, aside
from contracts.errors import Conflict, InvalidInput, NotFound
from contracts.human import TRAIN, TrainTask
from contracts.jobs import Job, JobState, JobView
from contracts.platform import TRAINED, Figures
from jobs.jobs import new_id
from store.database import in_turn, now_ms
from store.media import probe
from store.tables import JobRow

router = APIRouter(route_class=FormRoute)
lookups = APIRouter()
MOST_EPOCHS = 1_000_000
SHORTEST_S = 4  # of a film; see `training.avatar.preparation.preflight`
PREVIEW = "preview.jpg"  # beside the avatar, from training
LEAST_KNOWN = 0.01  # of a training, before it can be told how long it will take
TASK_ID = re.compile(r"train_[0-9]{8}_[0-9]{6}(_[0-9]{1,6})?")
SAID: dict[JobState, str] = {
    "queued": "排队中",
    "running": "训练中",
    "completed": "训练完成",
    "failed": "训练失败",
    "cancelled": "已取消",
}


class Started(BaseModel):
    status: str = "success"
    message: str
    task_id: str


class Progress(BaseModel):
    """`progress` is 0–1; a cancelled training has failed. `eta_s`: seconds that are left, as far as can be told.

    `path`: where its avatar is, once it can be used.
    """

    state: str
    progress: float
    created_time: str
    finished_time: str | None
    error: str | None
    message: str
    current_step: int
    total_steps: int
    loss: float
    metrics: dict[str, float]
    eta_s: float | None
    path: str | None


class TrainStatus(Started):
    data: Progress


@router.post("/model_training")
async def model_training(
    state: Here,
    caller: Known,
    callback_url: CallbackUrl,
    ref_video: Annotated[str, Form(max_length=LONGEST_PATH)] = "",
    model_choice: Name = "",
    gpu_choice: Name = "",
    epoch: Name = "100",
    custom_params: Annotated[str, Form(max_length=4_096)] = "",
    speaker_id: Name = "",
    consent: Annotated[str, Form(max_length=LONGEST_CONSENT)] = "",
) -> Started:
    """At once: the training goes on under `task_id`. `consent`: that of who is seen, kept with the avatar."""
    model, note = avatar_model(model_choice, "model_choice"), await aside(check_gpu, gpu_choice)
    epochs, parameters = _epochs(epoch), parse(custom_params, model)
    if not ref_video.strip():
        raise InvalidInput("请填写参考视频。", param="ref_video")
    film = await aside(_film, state, caller, ref_video)
    if consent.strip():
        parameters["consent"] = consent.strip()
    task = TrainTask(model=model, film=film, epochs=epochs, parameters=parameters, gpu="" if note else gpu_choice)
    return Started(message=said("模型训练开始", note), task_id=await aside(_submit, state, caller, task, callback_url))


@lookups.get("/api/train-status/{task_id}")
def train_status(task_id: str, state: Here, caller: Known) -> TrainStatus:
    job = find_training(state, caller, task_id)
    figures = Figures.model_validate(job.result.get("figures") or {})
    progress = Progress(
        state="failed" if job.state == "cancelled" else job.state,
        progress=job.progress,
        created_time=clock(job.created_ms),
        finished_time=clock(job.finished_ms) if job.finished_ms else None,
        error=job.error or None,
        message=job.message,
        eta_s=_left_s(job, figures),
        path=told(str(job.params["output"])) if job.state == "completed" else None,
        **figures.model_dump(include={"current_step", "total_steps", "loss", "metrics"}),
    )
    return TrainStatus(message=SAID[job.state], task_id=task_id, data=progress)


@lookups.get("/api/train-status/{task_id}/preview", response_class=Response)
def train_preview(task_id: str, state: Here, caller: Known, request: Request) -> Response:
    """The newest picture of it, a JPEG: a frame of the film that is not learnt, beside what is drawn of it."""
    job = find_training(state, caller, task_id)
    try:
        found = state.artifacts.find(f"{job.params['output']}/{PREVIEW}")
    except NotFound:
        raise NotFound("还没有预览。", param="task_id") from None
    return file_response(state.artifacts, found, request)


def _left_s(job: JobView, figures: Figures) -> float | None:
    """As the training tells; else as long as it went until now, for what is left."""
    if job.state != "running" or not job.started_ms or job.progress < LEAST_KNOWN:
        return None
    spent_s = (now_ms() - job.started_ms) / 1000
    return round(figures.metrics.get("eta_s", spent_s * (1 - job.progress) / job.progress), 1)


def find_training(state: State, caller: Caller, task_id: str) -> JobView:
    """Another's is told of as one that is not there: these ids can be guessed."""
    jobs = state.jobs.records.of_subject(_subject(task_id)) if TASK_ID.fullmatch(task_id) else []
    try:
        return state.jobs.records.get(jobs[0].id if jobs else "", *caller.owners)
    except NotFound:
        raise NotFound("训练任务不存在。", param="task_id") from None


def _film(state: State, caller: Caller, path: str) -> str:
    """The key of a film that may be learnt from, as far as it says itself; faces are looked for by the training."""
    key = find_media(state, caller, path, "video", "ref_video").key
    with fetched(state, key) as copy, copy.open("rb") as file:
        media = probe(file, ["video"], "ref_video")
    if (media.duration_s or 0) < SHORTEST_S:
        raise InvalidInput(f"视频太短，至少要 {SHORTEST_S} 秒，最好 1 至 5 分钟的讲话。", param="ref_video")
    if not media.sample_rate:
        raise InvalidInput("视频没有声音，请提供带有讲话声的视频。", param="ref_video")
    return key


def _epochs(epoch: str) -> int:
    text = epoch.strip() or "100"
    if not (text.isascii() and text.isdigit() and int(text[:8]) > 0 and len(text) < 8 and int(text) <= MOST_EPOCHS):
        raise InvalidInput(f"应为 1 到 {MOST_EPOCHS} 的整数。", param="epoch")
    return int(text)


def _submit(state: State, caller: Caller, task: TrainTask, callback_url: str) -> str:
    """The documented id; of several in one second, the later ones get a number."""
    stem = datetime.now().strftime("train_%Y%m%d_%H%M%S")
    for number in count(1):
        task_id = stem if number == 1 else f"{stem}_{number}"
        output = f"{home(caller.owner)}/{TRAINED}/{task.model}/{task_id}"
        params = task.model_copy(update={"task_id": task_id, "output": output}).model_dump()
        job = Job(id=new_id(), kind=TRAIN, owner=caller.owner, params=params)
        try:
            state.jobs.submit(job, _subject(task_id), lambda session: _claim(session, job), callback_url)  # noqa: B023
        except Conflict:
            continue
        return task_id
    raise AssertionError("unreachable")


def _claim(session: Session, job: Job) -> None:
    """Refuse an id that another training has."""
    in_turn(session, "trainings")
    subject = _subject(str(job.params["task_id"]))
    if session.scalar(select(JobRow.id).where(JobRow.subject == subject, JobRow.id != job.id)):
        raise Conflict("训练任务已存在。")


def _subject(task_id: str) -> str:
    return f"human/{task_id}"
