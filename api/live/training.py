"""One-click training: the language models that can be trained, start, status."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from api.auth import Known
from api.limits import MIB, body_limit
from api.live.envelope import Envelope, ok
from api.live.models import Choices, choices
from api.shared import SharedRoute, at_root, sends_form
from api.state import Here
from api.uploads import FormRoute, aside
from contracts.errors import InvalidInput, NotFound, Unavailable
from store.disk import check_room
from store.zips import extract


class SharedForms(SharedRoute, FormRoute):
    """Forms, at paths that the multimedia family has too."""


router = APIRouter(prefix="/api", route_class=SharedForms)
ZIP_BYTES = 100 * MIB
MOST_FILES, MOST_BYTES = 1_000, 500 * MIB  # of what is in it
TASK = "train_task_"  # what the ids of this family's trainings begin with
SAMPLES = (".json", ".jsonl", ".csv", ".txt")


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
) -> Envelope[Started]:
    """The samples are looked at first: what is wrong with them is told even where the model is absent."""
    spec = state.models.known.get(modelId)
    if spec is None or spec.capability != "chat" or not spec.trainable:
        raise InvalidInput("没有这个模型。", param="modelId")
    with state.in_flight.one():
        check_room(state.settings)
        await aside(
            extract,
            trainingSamples.file,
            None,
            most_files=MOST_FILES,
            most_bytes=MOST_BYTES,
            suffixes=SAMPLES,
            param="trainingSamples",
        )
    raise Unavailable(f"模型 {spec.name} 的训练暂不可用：本集群还没有启用语言模型训练。")


def names_ours(connection: HTTPConnection) -> bool:
    return str(connection.path_params["job_id"]).startswith(TASK)


@router.get("/training/status/{job_id}")
@at_root(names_ours)
def training_status(job_id: str, state: Here, caller: Known) -> Envelope[Status]:
    raise NotFound("训练任务不存在。", param="jobId")
