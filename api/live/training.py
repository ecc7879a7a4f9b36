"""One-click training: the language models that can be trained, start, status."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection

from api.auth import Known
from api.callers import Caller
from api.limits import MIB, body_limit
from api.live.envelope import Envelope, ok
from api.live.models import Choices, choices
from api.media.starting import finetunable, most_rank
from api.media.trainings import LIVE_TASK, task_id_of
from api.paths import home
from api.shared import SharedRoute, at_root, sends_form
from api.state import Here, State
from api.uploads import FormRoute, aside, folder_of
from contracts.catalog import ModelSpec
from contracts.errors import InvalidInput, NotFound, ServiceError
from contracts.jobs import Job
from contracts.platform import ONE_CLICK, TRAINED, FinetuneTask
from jobs.jobs import new_id
from store.disk import check_room
from store.samples import check_brought


class SharedForms(SharedRoute, FormRoute):
    """Forms, at paths that the multimedia family has too."""


router = APIRouter(prefix="/api", route_class=SharedForms)
ZIP_BYTES = 100 * MIB
RANK = 8  # of the adapter, where the cluster loads such
LEARNS: dict[str, Any] = {"epochs": 3, "batch_size": 4, "learning_rate": 2e-4}
WAITS = "任务已进入等待队列"


class Started(BaseModel):
    jobId: str
    status: str
    message: str


class Status(Started):
    progress: float


@router.get("/models/local")
def list_trainable_models(state: Here) -> Envelope[Choices]:
    """Language models of the documented menu."""
    specs = [spec for spec in state.models.known.values() if spec.capability == "chat" and spec.trainable]
    return ok("获取成功", choices(state, specs))


@router.post("/training/start")
@body_limit(ZIP_BYTES)
@at_root(sends_form)
async def start_training(
    modelId: Annotated[str, Form(min_length=1, max_length=128)],
    trainingSamples: Annotated[UploadFile, File()],
    state: Here,
    caller: Known,
    response: Response,
) -> Envelope[Started]:
    """The samples are looked at first: what is wrong with them is told even where the model is absent."""
    spec = state.models.known.get(modelId)
    if spec is None or spec.capability != "chat" or not spec.trainable:
        raise InvalidInput("没有这个模型。", param="modelId")
    with state.in_flight.one():
        check_room(state.settings)
        checked = await aside(check_brought, trainingSamples.file, "samples.zip", "trainingSamples")
        base = finetunable(state, spec, "modelId")
        job = await aside(_begin, state, caller, base, trainingSamples, checked.sha256)
    message = WAITS
    if job.params["base_model"] != spec.id:
        response.headers["X-Troupe-Model"] = job.params["base_model"]
        message = f"{WAITS}，由 {job.params['base_model']} 代替 {spec.id}"
    return ok("训练任务已成功启动", Started(jobId=task_id_of(job), status="queued", message=message))


def names_ours(connection: HTTPConnection) -> bool:
    return str(connection.path_params["job_id"]).startswith(LIVE_TASK)


@router.get("/training/status/{job_id}")
@at_root(names_ours)
def training_status(job_id: str, state: Here, caller: Known) -> Envelope[Status]:
    try:
        job = state.jobs.records.get(job_id.removeprefix(LIVE_TASK), *caller.owners)
    except NotFound:
        raise _unknown() from None
    if job.kind != ONE_CLICK or task_id_of(job) != job_id:
        raise _unknown()
    said = job.error or job.message or (WAITS if job.state == "queued" else "")
    status = "failed" if job.state == "cancelled" else job.state
    return ok("状态获取成功", Status(jobId=job_id, status=status, message=said, progress=job.progress))


def _begin(state: State, caller: Caller, base: ModelSpec, samples: UploadFile, sha256: str) -> Job:
    """A training like any other, of samples that are given for it alone."""
    job_id, place = new_id(), home(caller.owner)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "samples.zip"
        samples.file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(samples.file, copy, MIB)
        brought = state.artifacts.upload(f"{folder_of(caller.owner)}/{job_id}.zip", path, caller.owner)
    task = FinetuneTask(
        base_model=base.id,
        dataset=brought.key,
        output=f"{place}/{TRAINED}/{LIVE_TASK}{job_id}",
        lora_r=min(RANK, most_rank(base)),
        dataset_sha256=sha256,
        **LEARNS,
    )
    job = Job(id=job_id, kind=ONE_CLICK, owner=caller.owner, params=task.model_dump())
    try:
        state.jobs.submit(job, f"training/{job_id}")
    except (ServiceError, SQLAlchemyError):
        state.artifacts.delete(brought.key)
        raise
    return job


def _unknown() -> NotFound:
    return NotFound("训练任务不存在。", param="jobId")
