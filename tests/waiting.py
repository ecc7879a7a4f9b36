"""Waiting for a condition, with a deadline."""

import asyncio
import threading
import time
from collections.abc import Callable

STEP_S, DEADLINE_S = 0.02, 20.0


def eventually(
    condition: Callable[[], object],
    within_s: float = DEADLINE_S,
    but: type[Exception] | tuple[()] = (),
    every_s: float = STEP_S,
) -> float:
    """Wait until it holds, and say how long that took; failures of the kind `but` are not yet."""
    start, step, told = time.monotonic(), threading.Event(), ""
    while time.monotonic() < start + within_s:
        try:
            if condition():
                return time.monotonic() - start
        except but as error:
            told = repr(error)
        step.wait(every_s)
    raise AssertionError(f"not within {within_s} s {told}")


async def soon(condition: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    """The same, on an event loop."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(STEP_S)
