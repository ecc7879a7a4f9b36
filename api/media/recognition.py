"""What pictures show: classes, and things with their places."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.adapters import Adapter, answering, remove, versions
from api.auth import Known
from api.callers import Caller
from api.limits import body_limit
from api.media.asked import MULTIPART, ModelId, Sent
from api.media.looking import Confidence, Pixels, rounded, seen
from api.media.results import tell_model
from api.state import Here, State
from api.uploads import FormRoute, Once
from contracts.catalog import Capability, ModelSpec
from contracts.errors import Unavailable
from contracts.platform import CLASSIFIER

router = APIRouter(prefix="/api/image-recognition", route_class=FormRoute)
CAPABILITIES: tuple[Capability, ...] = ("classification", "detection")
TAUGHT = (CLASSIFIER,)
SHOWN = 20  # labels of a model, by name
MENU = {"id", "name", "description", "licence", "label_set"}  # what is told of a model, as the catalogue has it


class Look(Sent):
    model: ModelId = ""


class Classification(BaseModel):
    label: str
    confidence: Confidence


class Classifications(BaseModel):
    """The likeliest first; `label_set`: what the model can name at all."""

    classifications: list[Classification]
    label_set: str


class Detection(Classification):
    bbox: Pixels


class Detections(BaseModel):
    """The surest first; `label_set`: what the model can name at all."""

    detections: list[Detection]
    label_set: str


class RecognitionModel(BaseModel):
    id: str
    name: str
    description: str
    ready: bool
    licence: str
    label_set: str


class Removed(BaseModel):
    model: str
    removed: int


@router.get("/models")
def list_recognition_models(state: Here, caller: Known) -> list[RecognitionModel]:
    """Those that classify, of these the caller's own too, then those that detect; `ready`: it runs here."""
    known = state.models.known.values()
    classify, detect = ([spec for spec in known if spec.capability == capability] for capability in CAPABILITIES)
    taught = [_own(state, each) for each in answering(state, caller, TAUGHT).values()]
    return [*(_listed(state, spec) for spec in classify), *taught, *(_listed(state, spec) for spec in detect)]


@router.delete("/models/{model:path}")
def delete_recognition_model(model: str, state: Here, caller: Known) -> Removed:
    """One that the caller has trained, with all its versions."""
    return Removed(model=model, removed=len(remove(state, caller, model, TAUGHT)))


@router.post("/classify", dependencies=[Once])
@body_limit("image")
async def classify(
    asked: Annotated[Look, MULTIPART], state: Here, caller: Known, response: Response
) -> Classifications:
    """By a model of the cluster, or by one that the caller has trained: its name, or the id of its training."""
    if taught := await asyncio.to_thread(_taught, state, caller, asked.model):
        base, key, label_set = taught.base, taught.key, _label_set(taught)
    else:
        model = state.models.resolve("classification", asked.model)
        tell_model(response, asked.model, model.id)
        base, key, label_set = model.id, "", model.label_set
    if base not in state.engines.classifications:
        raise Unavailable(f"{asked.model} 的基础模型没有启用，请在集群配置的 models 中启用 {base}。", param="model")
    found = await seen(state, asked.image, partial(state.engines.classifications[base].classify, taught=key))
    told = [Classification(label=each.label, confidence=each.confidence) for each in found]
    return Classifications(classifications=told, label_set=label_set)


@router.post("/detect", dependencies=[Once])
@body_limit("image")
async def detect(asked: Annotated[Look, MULTIPART], state: Here, caller: Known, response: Response) -> Detections:
    model = state.models.resolve("detection", asked.model)
    tell_model(response, asked.model, model.id)
    found = await seen(state, asked.image, state.engines.detections[model.id].detect)
    told = [Detection(label=each.label, confidence=each.confidence, bbox=rounded(each.bbox)) for each in found]
    return Detections(detections=told, label_set=model.label_set)


def _taught(state: State, caller: Caller, name: str) -> Adapter | None:
    """The caller's own of this name, as it answers now, or the one that this training has made."""
    if ":" in name:
        return answering(state, caller, TAUGHT).get(name)
    if name.startswith("train_"):
        return next((each for each in versions(state, caller, TAUGHT) if each.task_id == name), None)
    return None


def _listed(state: State, spec: ModelSpec) -> RecognitionModel:
    return RecognitionModel(ready=spec.id in state.models.served, **spec.model_dump(include=MENU))


def _own(state: State, taught: Adapter) -> RecognitionModel:
    return RecognitionModel(
        id=taught.id,
        name=taught.name,
        description=f"由 {taught.base} 训练的分类模型（{taught.task_id}）。",
        ready=taught.base in state.engines.classifications,
        licence=state.models.known[taught.base].licence,
        label_set=_label_set(taught),
    )


def _label_set(taught: Adapter) -> str:
    more = f" …, {len(taught.labels)} labels" if len(taught.labels) > SHOWN else ""
    return ", ".join(taught.labels[:SHOWN]) + more
