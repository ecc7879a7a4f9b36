"""Memory that is out, as libraries say it."""

import torch

FULL = "DefaultCPUAllocator"  # on a CPU, torch says so in words only


def is_full(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or FULL in str(error)
