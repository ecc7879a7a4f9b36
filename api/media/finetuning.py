"""Language models, taught by LoRA and QLoRA: start, look, try, merge."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller
from api.media.asked import Body, Prompt
from api.media.starting import Asked, BatchSize, Epochs, Path, Rate, SendsJson, Started, begin, output_of
from api.media.trainings import Status, find_training, status_of
from api.state import Here, State
from contracts.errors import Conflict, Unavailable
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
    return begin(state, caller, LORA, body, **body.model_dump(include=OWN))


@router.post("/qlora/start", dependencies=[SendsJson])
def start_qlora(body: FinetuneStart, state: Here, caller: Known, callback_url: CallbackUrl) -> Started:
    """The same, with the base model held in four bits."""
    return begin(state, caller, LORA, body, quantized=True, **body.model_dump(include=OWN))


@router.get("/status/{task_id}")
def finetuning_status(task_id: str, state: Here, caller: Known) -> Status:
    return status_of(find_training(state, caller, task_id, [LORA]))


@router.post("/test", dependencies=[SendsJson])
def try_adapter(body: Trial, state: Here, caller: Known) -> Reply:
    """What the trained model answers."""
    _trained(state, caller, body.task_id)
    raise Unavailable("微调模型的试用暂不可用：本集群还没有启用语言模型训练，请在升级到包含训练程序的版本后重试。")


@router.post("/merge", dependencies=[SendsJson])
def merge_adapter(body: Merge, state: Here, caller: Known) -> Merged:
    """A model of its own, that needs its adapter no more, kept at `output_path`."""
    output_of(caller, body.output_path, "output_path")
    _trained(state, caller, body.task_id)
    raise Unavailable("适配器合并暂不可用：本集群还没有启用语言模型训练，请在升级到包含训练程序的版本后重试。")


def _trained(state: State, caller: Caller, task_id: str) -> JobView:
    """The caller's training that has come to its end; while it has not, or failed: `Conflict`."""
    job = find_training(state, caller, task_id, [LORA])
    if job.state != "completed":
        raise Conflict("这个训练任务还没有完成，或没有成功。", param="task_id")
    return job
