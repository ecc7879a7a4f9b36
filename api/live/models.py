"""The menus of models: documented ids in their documented order, and which of them are ready here."""

from pathlib import Path

from pydantic import BaseModel

from api.figures import Figures
from api.state import State
from contracts.catalog import ModelSpec


class Choice(BaseModel):
    id: str
    name: str
    ready: bool
    licence: str


class Choices(BaseModel):
    models: list[Choice]


def choices(state: State, specs: list[ModelSpec]) -> Choices:
    return Choices(
        models=[Choice(id=spec.id, name=spec.name, ready=ready(state, spec), licence=spec.licence) for spec in specs]
    )


def ready(state: State, spec: ModelSpec) -> bool:
    """Whether a call is answered: it runs, or sleeps and needs nothing, or its weights are in a folder of this machine.
    What comes from a hub is ready once it has started. Blocking."""
    served = state.models.served.get(spec.id)
    if served is None:
        return False
    weights = str(served.options.get("weights", ""))
    here = not served.needs or (bool(weights) and Path(weights).is_dir())
    return here or state.measured.figures().get(spec.id, Figures()).memory_bytes > 0
