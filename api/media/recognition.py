"""What pictures show: classes, and things with their places."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth import Known
from api.limits import body_limit
from api.media.asked import MULTIPART, ModelId, Sent
from api.media.looking import Confidence, Pixels, rounded, seen
from api.media.results import tell_model
from api.state import Here
from api.uploads import FormRoute, Once
from contracts.catalog import Capability

router = APIRouter(prefix="/api/image-recognition", route_class=FormRoute)
CAPABILITIES: tuple[Capability, ...] = ("classification", "detection")
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


@router.get("/models")
def list_recognition_models(state: Here) -> list[RecognitionModel]:
    """Those that classify, then those that detect; `ready`: it runs on this cluster."""
    known = state.models.known.values()
    specs = [spec for capability in CAPABILITIES for spec in known if spec.capability == capability]
    ready = state.models.served
    return [RecognitionModel(ready=spec.id in ready, **spec.model_dump(include=MENU)) for spec in specs]


@router.post("/classify", dependencies=[Once])
@body_limit("image")
async def classify(
    asked: Annotated[Look, MULTIPART], state: Here, caller: Known, response: Response
) -> Classifications:
    model = state.models.resolve("classification", asked.model)
    tell_model(response, asked.model, model.id)
    found = await seen(state, asked.image, state.engines.classifications[model.id].classify)
    told = [Classification(label=each.label, confidence=each.confidence) for each in found]
    return Classifications(classifications=told, label_set=model.label_set)


@router.post("/detect", dependencies=[Once])
@body_limit("image")
async def detect(asked: Annotated[Look, MULTIPART], state: Here, caller: Known, response: Response) -> Detections:
    model = state.models.resolve("detection", asked.model)
    tell_model(response, asked.model, model.id)
    found = await seen(state, asked.image, state.engines.detections[model.id].detect)
    told = [Detection(label=each.label, confidence=each.confidence, bbox=rounded(each.bbox)) for each in found]
    return Detections(detections=told, label_set=model.label_set)
