"""Language models, taught by LoRA and QLoRA: start, look, try, merge."""

import asyncio
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.adapters import Adapter, adapted, answering, choose, remove, versions
from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller
from api.files import GENERATED
from api.media.asked import Body, Prompt
from api.media.starting import Asked, BatchSize, Epochs, Path, Rate, SendsJson, Started, begin, claim, output_of
from api.media.trainings import STATUS, Status, find_training, status_of, task_id_of
from api.state import Here, State
from contracts.chat import ChatRequest, Message
from contracts.errors import Conflict, NotFound
from contracts.jobs import Job, JobView
from contracts.platform import LORA, MANIFEST, MERGE, MergeTask
from jobs.jobs import new_id
from store.tables import ArtifactRow

router = APIRouter(prefix="/api/llm-finetuning")
OWN = {"lora_r", "lora_alpha", "lora_dropout", "max_length", "gradient_accumulation_steps"}
TaskId = Annotated[str, Field(min_length=1, max_length=128)]


class FinetuneStart(Asked):
    epochs: Epochs = 3
    batch_size: BatchSize = 4
    learning_rate: Rate = 0.0002
    lora_r: Annotated[int, Field(ge=1, le=256)] = 8
    lora_alpha: Annotated[int, Field(ge=1, le=4_096)] = 16
    lora_dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.05
    max_length: Annotated[int, Field(ge=16, le=8_192, description="Tokens.")] = 512
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=1_024)] = 4


class Trial(Body):
    task_id: TaskId
    prompt: Prompt
    max_tokens: Annotated[int, Field(ge=1, le=8_192)] = 256


class Reply(BaseModel):
    response: str


class Merge(Body):
    task_id: TaskId
    output_path: Path


class Merged(BaseModel):
    """`task_id`: of the merging, which has a status as trainings have."""

    task_id: str
    status: str
    output_path: str


@router.post("/lora/start", dependencies=[SendsJson])
def start_lora(
    body: FinetuneStart, state: Here, caller: Known, callback_url: CallbackUrl, response: Response
) -> Started:
    """At once: the training goes on under `task_id`."""
    job = begin(state, caller, LORA, body, callback_url, **body.model_dump(include=OWN))
    return Started.of(job, body.base_model, response)


@router.post("/qlora/start", dependencies=[SendsJson])
def start_qlora(
    body: FinetuneStart, state: Here, caller: Known, callback_url: CallbackUrl, response: Response
) -> Started:
    """The same, with the base model held in four bits."""
    job = begin(state, caller, LORA, body, callback_url, quantized=True, **body.model_dump(include=OWN))
    return Started.of(job, body.base_model, response)


@router.get("/status/{task_id}")
def finetuning_status(task_id: str, state: Here, caller: Known) -> Status:
    """Of a merging too."""
    return status_of(find_training(state, caller, task_id, [LORA, MERGE]))


@router.post("/test", dependencies=[SendsJson])
async def try_adapter(body: Trial, state: Here, caller: Known, response: Response) -> Reply:
    """What the trained model answers. One that was stopped may be tried too, if it had learnt something."""
    job = await asyncio.to_thread(_learnt, state, caller, body.task_id)
    chat = adapted(state, job.params["base_model"], _adapter(job), body.task_id)
    response.headers.update(GENERATED)
    request = ChatRequest(messages=[Message(role="user", content=body.prompt)], max_tokens=body.max_tokens)
    with state.in_flight.one():
        async with aclosing(chat.generate(request)) as deltas:
            return Reply(response="".join([delta.text async for delta in deltas]))


class Named(Body):
    model: Annotated[str, Field(min_length=3, max_length=300, description="`base:adapter`, as in `/v1/models`.")]
    version: Annotated[str, Field(max_length=64, description="A task id; empty: the version before.")] = ""


class Version(BaseModel):
    """`task_id`: the training that has made it; `answers`: whether its model's name means this one.

    `dataset_sha256`: of its samples, in their order; `base_revision`: of the weights that it was taught beside.
    """

    model: str
    task_id: str
    answers: bool
    created_ms: int
    metrics: dict[str, float]
    dataset_sha256: str
    samples: int
    base_revision: str
    config: dict[str, Any]


class Removed(BaseModel):
    model: str
    removed: int


@router.get("/models")
def list_versions(state: Here, caller: Known) -> list[Version]:
    """Of all the caller's models, the newest first."""
    answers = {each.version for each in answering(state, caller).values()}
    return [_told(each, each.version in answers) for each in versions(state, caller)]


@router.post("/models/restore", dependencies=[SendsJson])
def restore_version(body: Named, state: Here, caller: Known) -> Version:
    """An earlier version answers again, on every replica, from the next request on."""
    version = find_training(state, caller, body.version, [LORA]).id if body.version else ""
    return _told(choose(state, caller, body.model, version), True)


@router.delete("/models/{model:path}")
def delete_model(model: str, state: Here, caller: Known) -> Removed:
    """With all its versions."""
    return Removed(model=model, removed=len(remove(state, caller, model)))


def _told(adapter: Adapter, answers: bool) -> Version:
    told = {name: getattr(adapter, name) for name in Version.model_fields.keys() - {"model", "answers"}}
    return Version(model=adapter.id, answers=answers, **told)


@router.post("/merge", dependencies=[SendsJson])
def merge_adapter(body: Merge, state: Here, caller: Known, callback_url: CallbackUrl) -> Merged:
    """A model of its own, that needs its adapter no more, kept at `output_path`; it is made under `task_id`."""
    output = output_of(caller, body.output_path, "output_path")
    trained = _trained(state, caller, body.task_id)
    task = MergeTask(base_model=trained.params["base_model"], adapter=_adapter(trained), output=output)
    job = Job(id=new_id(), kind=MERGE, owner=caller.owner, params=task.model_dump())

    def claims(session: Session) -> None:
        claim(session, job, param="output_path")
        if session.scalar(select(exists().where(ArtifactRow.key.startswith(f"{output}/", autoescape=True)))):
            raise Conflict("这个目录里已有内容，请换一个目录。", param="output_path")

    state.jobs.submit(job, f"training/{job.id}", claims, callback_url)
    return Merged(task_id=task_id_of(job), status=STATUS["queued"], output_path=body.output_path)


def _adapter(job: JobView) -> str:
    """The key of what it has learnt."""
    return f"{job.params['output']}/{job.id}"


def _learnt(state: State, caller: Caller, task_id: str) -> JobView:
    """The caller's training that has an adapter: it came to its end, or was stopped once it had learnt something."""
    job = find_training(state, caller, task_id, [LORA])
    if job.state not in ("completed", "cancelled"):
        raise Conflict("这个训练任务还没有完成，或没有成功。", param="task_id")
    try:
        state.artifacts.find(f"{_adapter(job)}/{MANIFEST}")
    except NotFound:
        gone = "它的微调模型已被删除。" if job.state == "completed" else "这个训练任务停止得太早，还没有学到什么。"
        raise Conflict(gone, param="task_id") from None
    return job


def _trained(state: State, caller: Caller, task_id: str) -> JobView:
    """The same of one that has come to its end: its adapter was judged."""
    job = _learnt(state, caller, task_id)
    if job.state != "completed":
        raise Conflict("这个训练任务没有完成，不能合并。", param="task_id")
    return job
