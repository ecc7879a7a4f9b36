"""Trainings of this family: start, look, stop."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.auth import Known
from api.callbacks import CallbackUrl
from api.media.starting import Asked, SendsJson, Started, begin
from api.media.trainings import STATUS, Status, find_training, status_of, task_id_of
from api.state import Here
from contracts.platform import CLASSIFIER, LORA

router = APIRouter(prefix="/api/training")


class TrainingStart(Asked):
    model_type: Literal["image_classifier", "llm_lora", "llm_qlora"]
    save_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 500


class Stopped(BaseModel):
    task_id: str
    status: str


@router.post("/start", dependencies=[SendsJson])
def start_training(
    body: TrainingStart, state: Here, caller: Known, callback_url: CallbackUrl, response: Response
) -> Started:
    """At once: the training goes on under `task_id`. Forms at the root are live commerce's."""
    own: dict[str, Any] = {"save_steps": body.save_steps}
    if body.model_type != "image_classifier":
        own["quantized"] = body.model_type == "llm_qlora"
    kind = CLASSIFIER if body.model_type == "image_classifier" else LORA
    return Started.of(begin(state, caller, kind, body, callback_url, **own), body.base_model, response)


@router.get("/status/{task_id}")
def training_status(task_id: str, state: Here, caller: Known) -> Status:
    """Of any training of the caller's but live commerce's."""
    return status_of(find_training(state, caller, task_id))


@router.post("/stop/{task_id}")
def stop_training(task_id: str, state: Here, caller: Known) -> Stopped:
    """Also of one that has ended: it stays as it is."""
    job = find_training(state, caller, task_id)
    state.jobs.cancel(job.id, *caller.owners)
    job = state.jobs.records.get(job.id, *caller.owners)
    return Stopped(task_id=task_id_of(job), status=STATUS[job.state])
