"""Language models, taught by LoRA and QLoRA: start, look, try, merge."""

import asyncio
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.adapters import MANIFEST, Adapter, answering, choose, remove, versions
from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller
from api.files import GENERATED
from api.media.asked import Body, Prompt
from api.media.starting import Asked, BatchSize, Epochs, Path, Rate, SendsJson, Started, begin, output_of
from api.media.trainings import Status, find_training, status_of
from api.state import Here, State
from contracts.chat import ChatRequest, Message
from contracts.errors import Conflict, NotFound, Unavailable
from contracts.jobs import JobView
from contracts.platform import LORA

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
    task_id: str
    output_path: str


@router.post("/lora/start", dependencies=[SendsJson])
def start_lora(body: FinetuneStart, state: Here, caller: Known, callback_url: CallbackUrl) -> Started:
    """At once: the training goes on under `task_id`."""
    return begin(state, caller, LORA, body, callback_url, **body.model_dump(include=OWN))


@router.post("/qlora/start", dependencies=[SendsJson])
def start_qlora(body: FinetuneStart, state: Here, caller: Known, callback_url: CallbackUrl) -> Started:
    """The same, with the base model held in four bits."""
    return begin(state, caller, LORA, body, callback_url, quantized=True, **body.model_dump(include=OWN))


@router.get("/status/{task_id}")
def finetuning_status(task_id: str, state: Here, caller: Known) -> Status:
    return status_of(find_training(state, caller, task_id, [LORA]))


@router.post("/test", dependencies=[SendsJson])
async def try_adapter(body: Trial, state: Here, caller: Known, response: Response) -> Reply:
    """What the trained model answers. One that was stopped may be tried too, if it had learnt something."""
    job = await asyncio.to_thread(_learnt, state, caller, body.task_id)
    chat = state.engines.chats.get(job.params["base_model"])
    if chat is None:
        raise Unavailable(f"基础模型没有启用，请在集群配置的 models 中启用 {job.params['base_model']}。")
    response.headers.update(GENERATED)
    asked = Message(role="user", content=body.prompt)
    request = ChatRequest(messages=[asked], max_tokens=body.max_tokens, adapter=_adapter(job))
    with state.in_flight.one():
        async with aclosing(chat.generate(request)) as deltas:
            return Reply(response="".join([delta.text async for delta in deltas]))


class Named(Body):
    model: Annotated[str, Field(min_length=3, max_length=300, description="`base:adapter`, as in `/v1/models`.")]
    version: Annotated[str, Field(max_length=64, description="A task id; empty: the version before.")] = ""


class Version(BaseModel):
    """`task_id`: the training that has made it; `answers`: whether its model's name means this one."""

    model: str
    task_id: str
    answers: bool
    created_ms: int
    metrics: dict[str, float]


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
    facts = {"model": adapter.id, "created_ms": adapter.created_ms, "metrics": adapter.metrics}
    return Version(task_id=adapter.task_id, answers=answers, **facts)


@router.post("/merge", dependencies=[SendsJson])
def merge_adapter(body: Merge, state: Here, caller: Known) -> Merged:
    """A model of its own, that needs its adapter no more, kept at `output_path`."""
    output_of(caller, body.output_path, "output_path")
    _trained(state, caller, body.task_id)
    raise Unavailable("适配器合并暂不可用：本集群还没有启用语言模型训练，请在升级到包含训练程序的版本后重试。")


def _adapter(job: JobView) -> str:
    """The key of what it has learnt."""
    return f"{job.params['output']}/{job.id}"


def _learnt(state: State, caller: Caller, task_id: str) -> JobView:
    job = find_training(state, caller, task_id, [LORA])
    if job.state != "cancelled":
        return _trained(state, caller, task_id)
    try:
        state.artifacts.find(f"{_adapter(job)}/{MANIFEST}")
    except NotFound:
        raise Conflict("这个训练任务停止得太早，还没有学到什么。", param="task_id") from None
    return job


def _trained(state: State, caller: Caller, task_id: str) -> JobView:
    """The caller's training that has come to its end; while it has not, or failed: `Conflict`."""
    job = find_training(state, caller, task_id, [LORA])
    if job.state != "completed":
        raise Conflict("这个训练任务还没有完成，或没有成功。", param="task_id")
    return job
