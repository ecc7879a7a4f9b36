"""This machine's GPUs, as NVIDIA's driver tells; and the choice of one of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pynvml

from contracts.errors import InvalidInput

CHOICE = re.compile(r"GPU(\d|1[0-5])")  # no machine has more


@dataclass(frozen=True)
class Gpu:
    """`load`: percent; `temperature`: degrees Celsius. What a GPU does not tell (one in parts: its load) is 0."""

    name: str
    load: float
    memory_used: int  # bytes
    memory_total: int
    temperature: int


def gpus() -> list[Gpu]:
    """None where there is no driver."""
    try:
        pynvml.nvmlInit()
        return [_gpu(pynvml.nvmlDeviceGetHandleByIndex(number)) for number in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []


def _gpu(handle: object) -> Gpu:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        name=pynvml.nvmlDeviceGetName(handle),
        load=float(_told(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
        memory_used=int(memory.used),
        memory_total=int(memory.total),
        temperature=_told(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
    )


def _told(ask: Callable[[], int]) -> int:
    try:
        return ask()
    except pynvml.NVMLError:
        return 0


def check_gpu(choice: str) -> str:
    """What to tell who chose a GPU that is not here; empty: it is, or none was chosen. Malformed: `InvalidInput`."""
    if not choice:
        return ""
    if not CHOICE.fullmatch(choice):
        raise InvalidInput("应为 GPU0 到 GPU15 之一。", param="gpu_choice")
    return "" if int(choice.removeprefix("GPU")) < len(gpus()) else f"本机没有 {choice}，改用 CPU"
