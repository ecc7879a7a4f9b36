"""The cluster at a glance: nodes, models, what they take, and what waits."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Known
from api.figures import Figures
from api.nodes import Node
from api.state import Here
from contracts.catalog import Capability
from jobs.queues import Queue, queues

router = APIRouter(prefix="/v1")


class ModelState(Figures):
    id: str
    capability: Capability
    name: str


class ClusterState(BaseModel):
    nodes: list[Node]
    models: list[ModelState]
    services: dict[str, Figures]
    queues: list[Queue]


@router.get("/cluster")
def look(state: Here, caller: Known) -> ClusterState:
    """What was measured is up to twenty seconds old. `services`: the ingress and the workers."""
    figures = state.measured.figures()
    served = state.models.served
    none = Figures()
    return ClusterState(
        nodes=state.nodes(),
        models=[
            ModelState(id=name, capability=spec.capability, name=spec.name, **dict(figures.get(name, none)))
            for name, spec in served.items()
        ],
        services={name: found for name, found in figures.items() if name not in served},
        queues=queues(state.database),
    )
