"""What this machine has, and what is missing."""

import sys
from dataclasses import dataclass

import psutil

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


def look(settings: Settings) -> list[Finding]:
    return [python(), memory(), disk(settings), *gpus(), *(model(spec) for spec in models().values())]


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


def model(spec: ModelSpec) -> Finding:
    lacking = missing(spec)
    return Finding(not lacking, f"model {spec.id}: {lacking or 'ready'}", needed=False)
