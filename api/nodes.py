"""The machines of the cluster, as its status page tells of them."""

import platform
from collections.abc import Callable

import psutil
from pydantic import BaseModel


class Node(BaseModel):
    name: str
    alive: bool
    cpus: float
    gpus: float
    memory_total: int  # bytes


Nodes = Callable[[], list[Node]]
"""Blocking; what is bound to a cluster asks it, and only that may import Ray."""


def this_machine() -> list[Node]:
    """Where there is no cluster to ask."""
    memory = psutil.virtual_memory().total
    return [Node(name=platform.node(), alive=True, cpus=psutil.cpu_count() or 1, gpus=0, memory_total=memory)]
