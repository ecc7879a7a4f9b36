"""The menus of models: documented ids in their documented order, and which of them are ready here."""

from pydantic import BaseModel

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
        models=[
            Choice(id=spec.id, name=spec.name, ready=spec.id in state.models.served, licence=spec.licence)
            for spec in specs
        ]
    )
