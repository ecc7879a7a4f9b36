"""A cluster for a benchmark, and what machine it ran on."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from cli.cluster import Plan, running
from cli.environment import free_port
from contracts.settings import ROOT


@contextmanager
def served(config: str, proxied: bool = True) -> Iterator[str]:
    """The URL of a cluster on free ports."""
    plan = Plan(ROOT / config, free_port(), free_port(), proxied)
    with running(plan, lambda text: None):
        yield plan.url


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, no GPU; {platform.python_version()}"
