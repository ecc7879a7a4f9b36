"""What this machine has, and what is missing."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from cli.models import missing
from contracts.catalog import ModelSpec, models
from contracts.settings import Settings
from store.disk import GIB, free_bytes

PYTHON = (3, 11)
MEMORY_BYTES, DISK_BYTES = 4 << 30, 5 << 30


@dataclass(frozen=True)
class Finding:
    good: bool
    text: str
    needed: bool = True


def look(settings: Settings, config: Path) -> list[Finding]:
    """`config`: what is to be served. Its models are looked at with its options."""
    served, options = configured(config)
    specs = [spec.model_copy(update={"options": spec.options | options.get(spec.id, {})}) for spec in models().values()]
    return [python(), memory(), disk(settings), *gpus(), *(model(spec, spec.id in served) for spec in specs)]


def configured(config: Path) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The models that it serves, and its options by model."""
    applications = yaml.safe_load(config.read_text(encoding="utf-8"))["applications"]
    arguments = [application.get("args", {}) for application in applications]
    served = [name for each in arguments for name in each.get("models", [])]
    return served, {name: chosen for each in arguments for name, chosen in each.get("options", {}).items()}


def python() -> Finding:
    found = sys.version_info[:2]
    return Finding(found == PYTHON, f"Python {found[0]}.{found[1]} (3.11 is what the locked packages are for)")


def memory() -> Finding:
    free = psutil.virtual_memory().available
    return Finding(free >= MEMORY_BYTES, f"memory: {free / 2**30:.1f} GiB free (4 GiB are enough for the local models)")


def disk(settings: Settings) -> Finding:
    free, least = free_bytes(settings.var), settings.min_free_gib
    told = f"disk: {free / GIB:.1f} GiB free at {settings.var} (new work is refused below {least:g} GiB)"
    return Finding(free >= max(DISK_BYTES, least * GIB), told)


def gpus() -> list[Finding]:
    """Those that NVIDIA's driver tells of. None is fine: the local models need none."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return [Finding(True, "GPU: none; everything runs on the CPU", needed=False)]
    found = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    return [Finding(True, f"GPU: {pynvml.nvmlDeviceGetName(handle)}", needed=False) for handle in found]


def model(spec: ModelSpec, served: bool) -> Finding:
    """One that is to be served is needed."""
    lacking = missing(spec)
    return Finding(not lacking, f"model {spec.id}: {lacking or 'ready'}", needed=served)
