"""How a training begins: everything that a request names is found and checked before there is a job."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.callers import Caller
from api.media.asked import Body, ModelId
from api.media.datasets import find_dataset
from api.media.trainings import going, task_id_of
from api.paths import home, within
from api.shared import media_type_of
from api.state import State
from contracts.catalog import Capability, ModelSpec
from contracts.errors import Conflict, InvalidInput, Unavailable, UnsupportedMedia
from contracts.jobs import Job
from contracts.platform import CLASSIFIER, LORA, TRAINED, FinetuneTask, TrainingTask
from jobs.jobs import new_id
from store.database import in_turn
from store.datasets import TEXTS
from store.samples import check_kept

CAPABILITY: dict[str, Capability] = {CLASSIFIER: "classification", LORA: "chat"}  # of the model that is trained
ADAPTER_RANK = 16  # that vLLM loads, where its options name no other
Path = Annotated[str, Field(min_length=1, max_length=512, description="A name inside the store.")]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_024)]
Rate = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Asked(Body):
    """What a request for any training names."""

    base_model: Annotated[ModelId, Field(min_length=1)]
    dataset_path: Path
    output_dir: Path
    epochs: Epochs = 10
    batch_size: BatchSize = 8
    learning_rate: Rate = 0.0001


class Started(BaseModel):
    task_id: str


async def _sends_json(request: Request) -> None:
    if media_type_of(request) != "application/json":
        raise UnsupportedMedia("请求体应为 JSON（Content-Type: application/json）。")


SendsJson = Depends(_sends_json)


def begin(state: State, caller: Caller, kind: str, asked: Asked, callback_url: str, **own: Any) -> Started:
    """Queue a training; `own`: parameters of its kind. Two that write one folder: `Conflict`."""
    model = _base_model(state, kind, asked.base_model)
    if kind == LORA:
        model = finetunable(state, model, "base_model")
    fields = {
        "base_model": model.id,
        "dataset": _dataset(state, caller, kind, asked.dataset_path),
        "output": output_of(caller, asked.output_dir, "output_dir"),
        **asked.model_dump(include={"epochs", "batch_size", "learning_rate"}),
        **own,
    }
    task = (TrainingTask if kind == CLASSIFIER else FinetuneTask).model_validate(fields)
    job = Job(id=new_id(), kind=kind, owner=caller.owner, params=task.model_dump())
    if isinstance(task, FinetuneTask):
        check_rank(state, model, task.lora_r)
        with state.in_flight.one():
            check_kept(state.artifacts, task.dataset, "dataset_path")
        state.jobs.submit(job, f"training/{job.id}", lambda session: claim(session, job), callback_url)
        return Started(task_id=task_id_of(job))
    # Until there is a recipe.
    with state.database.session() as session:
        claim(session, job)
    raise Unavailable(
        f"模型 {model.name} 的训练暂不可用：本集群还没有启用图像分类训练，请在升级到包含训练程序的版本后重新提交。"
    )


def finetunable(state: State, model: ModelSpec, param: str) -> ModelSpec:
    """The model that learns in place of one that is absent, where that is allowed; else it is `Unavailable`.

    It must run here: what it learns is loaded beside it.
    """
    chosen = state.models.resolve("chat", model.id, param)
    if not chosen.trainable:
        raise Unavailable(f"模型 {model.id} 不可用，代替它的 {chosen.id} 不能训练。", param=param)
    return chosen


def check_rank(state: State, model: ModelSpec, rank: int) -> None:
    """Refuse what could be trained and then not be loaded beside the model, where that runs."""
    served = state.models.served.get(model.id)
    most = served.options.get("adapter_rank", ADAPTER_RANK) if served and served.engine == "vllm" else rank
    if rank > most:
        raise InvalidInput(f"本集群上的 {model.id} 最多加载 lora_r 为 {most} 的适配器。", param="lora_r")


def claim(session: Session, job: Job) -> None:
    """Refuse a folder that another training still writes, or one that lies around it or in it."""
    in_turn(session, "trainings")
    output = PurePosixPath(str(job.params["output"]))
    for other in going(session):
        theirs = PurePosixPath(str(other.params["output"]))
        if other.id != job.id and (output.is_relative_to(theirs) or theirs.is_relative_to(output)):
            raise Conflict("另一个训练任务正在使用这个目录。", param="output_dir")


def output_of(caller: Caller, path: str, param: str) -> str:
    """The folder of the caller's own that a path names, for a model to be kept in."""
    return f"{home(caller.owner)}/{TRAINED}/{within(TRAINED, path, param)}"


def _base_model(state: State, kind: str, name: str) -> ModelSpec:
    model = state.models.known.get(name)
    if model is None or model.capability != CAPABILITY[kind] or not model.trainable:
        raise InvalidInput("没有这个模型，或者它不能这样训练。", param="base_model")
    return model


def _dataset(state: State, caller: Caller, kind: str, path: str) -> str:
    found = find_dataset(state, caller, path, "dataset_path")
    if kind == CLASSIFIER and f".{found.format}" in TEXTS:
        raise InvalidInput("应为按类别分文件夹的图片（zip 压缩包）。", param="dataset_path")
    return found.key
