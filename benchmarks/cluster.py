"""A cluster for a benchmark, and what machine it ran on."""

import platform
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import psutil
import yaml

from cli.cluster import Plan, running
from cli.environment import free_port
from contracts.catalog import models
from contracts.settings import ROOT

T = TypeVar("T")


@contextmanager
def served(config: str, proxied: bool = True) -> Iterator[str]:
    """The URL of a cluster on free ports."""
    plan = Plan(ROOT / config, free_port(), free_port(), proxied)
    with running(plan, lambda text: None):
        yield plan.url


@contextmanager
def configured(model: str, options: dict[str, Any], **deployment: Any) -> Iterator[str]:
    """A cluster of the models that need no weights and of this one, in place of those of its kind, in a file;
    `deployment`: what Serve is told of it."""
    whole = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    application: dict[str, Any] = whole["applications"][0]
    known, arguments = models(), application["args"]
    others = [name for name in arguments["models"] if known[name].capability == known[model].capability]
    arguments["models"] = [model, *(name for name in arguments["models"] if name not in others)]
    arguments["options"] = arguments.get("options", {}) | {model: options}
    kept = [each for each in application["deployments"] if each["name"] not in [model, *others]]
    mine = {"name": model, "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}}
    application["deployments"] = [*kept, mine | deployment]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(whole, file)
        file.flush()
        yield file.name


def apart(measure: Callable[[Path], T], folder: Path) -> T:
    """In a process of its own, which is gone when the next one begins: two would take the cores from each other."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, folder).result()


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, no GPU; {platform.python_version()}"
