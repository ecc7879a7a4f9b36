"""The models that OpenAI's clients can use on this cluster."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.adapters import answering
from api.callers import Caller
from api.openai.client import Client
from api.state import Here, State
from contracts.catalog import CATALOG, Capability, ModelSpec
from contracts.errors import NotFound

router = APIRouter(prefix="/v1/models")
SINCE = int((CATALOG / "models.yaml").stat().st_mtime)
LISTED: tuple[Capability, ...] = ("chat", "transcription", "speech", "image")


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = SINCE
    owned_by: str = "troupe"


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


@router.get("")
async def list_models(state: Here, caller: Client) -> ModelList:
    """Those that converse, the default first, those of other routes, and what the caller has taught them."""
    listed = sorted(filter(_is_listed, state.models.served.values()), key=lambda spec: LISTED.index(spec.capability))
    served = [Model(id=spec.id) for spec in listed]
    return ModelList(data=served + await asyncio.to_thread(_taught, state, caller))


@router.get("/{model_id:path}")
async def get_model(model_id: str, state: Here, caller: Client) -> Model:
    if ":" in model_id:
        taught = await asyncio.to_thread(_taught, state, caller)
        if found := next((each for each in taught if each.id == model_id), None):
            return found
    spec = state.models.served.get(model_id)
    if spec is None or not _is_listed(spec):
        raise unknown(model_id)
    return Model(id=spec.id)


def _taught(state: State, caller: Caller) -> list[Model]:
    found = answering(state, caller).values()
    return [Model(id=each.id, created=each.created_ms // 1000) for each in found if each.base in state.models.served]


def find_model(state: State, capability: Capability, name: str) -> ModelSpec:
    """The one that is named or the default; with fallback, the default for one that is known but absent."""
    known = state.models.known.get(name) or state.models.served.get(name)
    if name and (known is None or known.capability != capability):
        raise unknown(name)
    return state.models.resolve(capability, name)


def unknown(name: str) -> NotFound:
    return NotFound(f"没有模型 {name[:100]!r}。", param="model")


def _is_listed(spec: ModelSpec) -> bool:
    return spec.capability in LISTED
