"""Memory that is out, as libraries say it."""

FULL = "DefaultCPUAllocator"  # on a CPU, torch says so in words only


def is_full(error: BaseException) -> bool:
    """Torch's own class is known by its name: whoever asks need not have loaded torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or FULL in str(error)
