"""How a training begins: everything that a request names is found and checked before there is a job."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.callers import Caller
from api.media.asked import Body, ModelId
from api.media.datasets import Found, find_dataset
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
from store.labelled import check_labelled
from store.samples import check_kept
from store.tables import ArtifactRow

CAPABILITY: dict[str, Capability] = {CLASSIFIER: "classification", LORA: "chat"}  # of the model that is trained
ADAPTER_RANK = 16  # that vLLM loads, where its options name no other
MOST_RANK = 256
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

    @classmethod
    def of(cls, job: Job, named: str, response: Response) -> "Started":
        """The answer's header tells of a model that learns in the place of the one that was `named`."""
        if job.params["base_model"] != named:
            response.headers["X-Troupe-Model"] = job.params["base_model"]
        return cls(task_id=task_id_of(job))


async def _sends_json(request: Request) -> None:
    if media_type_of(request) != "application/json":
        raise UnsupportedMedia("请求体应为 JSON（Content-Type: application/json）。")


SendsJson = Depends(_sends_json)


def begin(state: State, caller: Caller, kind: str, asked: Asked, callback_url: str, **own: Any) -> Job:
    """Queue a training; `own`: parameters of its kind. Two that write one folder: `Conflict`."""
    model = _base_model(state, kind, asked.base_model)
    if kind == LORA:
        model = finetunable(state, model, "base_model")
        check_rank(model, own.get("lora_r", FinetuneTask.model_fields["lora_r"].default))
    else:
        model = trainable(state, model, "base_model")
    dataset = _dataset(state, caller, kind, asked.dataset_path)
    fields = {
        "base_model": model.id,
        "dataset": dataset.key,
        "output": output_of(caller, asked.output_dir, "output_dir"),
        **asked.model_dump(include={"epochs", "batch_size", "learning_rate"}),
        **own,
    }
    with state.in_flight.one():
        check = check_labelled if kind == CLASSIFIER else check_kept
        fields["dataset_sha256"] = check(state.artifacts, dataset.key, "dataset_path").sha256
    task = (TrainingTask if kind == CLASSIFIER else FinetuneTask).model_validate(fields)
    job = Job(id=new_id(), kind=kind, owner=caller.owner, params=task.model_dump())
    state.jobs.submit(job, f"training/{job.id}", lambda session: claim(session, job, dataset), callback_url)
    return job


def finetunable(state: State, model: ModelSpec, param: str) -> ModelSpec:
    """The language model that learns, as `trainable`; it must load adapters: what it learns is loaded beside it."""
    chosen = trainable(state, model, param)
    if not most_rank(chosen):
        raise Unavailable(f"{chosen.id} 的部署没有启用适配器，请在集群配置的 options 中设置 adapters。", param=param)
    return chosen


def trainable(state: State, model: ModelSpec, param: str) -> ModelSpec:
    """The model that learns in place of one that is absent, where that is allowed; else it is `Unavailable`.

    It must run here; it has the options that it runs with.
    """
    chosen = state.models.resolve(model.capability, model.id, param)
    if not chosen.trainable:  # the default, which takes the absent one's place
        served = (each for each in state.models.served.values() if each.capability == model.capability)
        chosen = next((each for each in served if each.trainable), chosen)
    if not chosen.trainable:
        raise Unavailable(f"模型 {model.id} 不可用，代替它的 {chosen.id} 不能训练。", param=param)
    return state.models.served[chosen.id]


def most_rank(model: ModelSpec) -> int:
    """Of the adapters that can be loaded beside a model as it is served; 0: none can."""
    if model.engine != "vllm":
        return MOST_RANK
    return int(model.options.get("adapter_rank", ADAPTER_RANK)) if model.options.get("adapters") else 0


def check_rank(model: ModelSpec, rank: int) -> None:
    """Refuse what could be trained and then not be loaded beside the model."""
    if rank > most_rank(model):
        raise InvalidInput(f"本集群上的 {model.id} 最多加载 lora_r 为 {most_rank(model)} 的适配器。", param="lora_r")


def claim(session: Session, job: Job, dataset: Found | None = None, param: str = "output_dir") -> None:
    """Refuse a folder that another training still writes, or one that lies around it or in it.

    And a dataset that was deleted, or replaced by another one, since it was looked at.
    """
    in_turn(session, "trainings")
    output = PurePosixPath(str(job.params["output"]))
    for other in going(session):
        theirs = PurePosixPath(str(other.params["output"]))
        if other.id != job.id and (output.is_relative_to(theirs) or theirs.is_relative_to(output)):
            raise Conflict("另一个训练任务正在使用这个目录。", param=param)
    if dataset and dataset.sha256:
        newest = select(ArtifactRow.sha256).where(ArtifactRow.key == dataset.key)
        if session.scalar(newest.order_by(ArtifactRow.created_ms.desc()).limit(1)) != dataset.sha256:
            raise Conflict("数据集刚刚被删除或更换，请重新提交。", param="dataset_path")


def output_of(caller: Caller, path: str, param: str) -> str:
    """The folder of the caller's own that a path names, for a model to be kept in."""
    return f"{home(caller.owner)}/{TRAINED}/{within(TRAINED, path, param)}"


def _base_model(state: State, kind: str, name: str) -> ModelSpec:
    model = state.models.known.get(name)
    if model is None or model.capability != CAPABILITY[kind] or not model.trainable:
        raise InvalidInput("没有这个模型，或者它不能这样训练。", param="base_model")
    return model


def _dataset(state: State, caller: Caller, kind: str, path: str) -> Found:
    found = find_dataset(state, caller, path, "dataset_path")
    if kind == CLASSIFIER and f".{found.format}" in TEXTS:
        raise InvalidInput("应为按类别分文件夹的图片（zip 压缩包）。", param="dataset_path")
    return found
