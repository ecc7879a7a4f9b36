"""The state of the machine that answers, and the nodes of the cluster."""

import shutil
from typing import Annotated, Any

import psutil
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Known
from api.human.dialect import Dialect, Spoken
from api.human.gpus import Gpu, gpus
from api.nodes import Node
from api.state import Here

router = APIRouter()
CPU_S = 0.1  # psutil compares with its last look in the same thread, and threads change: it looks twice
Percent = Annotated[float, Field(ge=0)]


class GpuState(BaseModel):
    """Memory is bytes in v2's words and MiB in v1's."""

    name: str
    load: Percent
    memory_used: int
    memory_total: int
    temperature: int


class MachineState(BaseModel):
    cpu_percent: Percent
    memory_percent: Percent
    memory_used: int
    memory_total: int
    disk_percent: Percent
    gpus: list[GpuState]
    timestamp: str
    nodes: list[Node]


@router.get("/api/status")
def status(state: Here, caller: Known, dialect: Spoken) -> MachineState:
    memory, place = psutil.virtual_memory(), state.settings.var.resolve()
    disk = shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists()))
    return MachineState(
        cpu_percent=cpu_percent(),
        memory_percent=memory.percent,
        memory_used=memory.used,
        memory_total=memory.total,
        disk_percent=round(100 * disk.used / disk.total, 1),
        gpus=[GpuState(**_told(gpu, number, dialect)) for number, gpu in enumerate(gpus())],
        timestamp=dialect.now(),
        nodes=state.nodes(),
    )


def cpu_percent() -> float:
    return psutil.cpu_percent(CPU_S)


def _told(gpu: Gpu, number: int, dialect: Dialect) -> dict[str, Any]:
    return {
        "name": gpu.name if dialect.union else f"GPU{number}",
        "load": gpu.load,
        "memory_used": dialect.memory(gpu.memory_used),
        "memory_total": dialect.memory(gpu.memory_total),
        "temperature": gpu.temperature,
    }
