"""A blocking call that reports while it works, as a generator that can be closed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

R = TypeVar("R")
T = TypeVar("T")
_DONE = object()


class Left(BaseException):
    """Nobody waits for the call any more. No failure: what catches `Exception` lets it pass."""


def reported(call: Callable[[Callable[[R], None]], T]) -> Iterator[R | T]:
    """What `call(report)` reports, as it does, and last what it returns; it runs in a thread of its own.

    When the generator is closed, the next report raises `Left` in the call; the thread has ended when `close` returns.
    """
    said: SimpleQueue[object] = SimpleQueue()
    left = Event()

    def report(item: R) -> None:
        if left.is_set():
            raise Left
        said.put(item)

    with ThreadPoolExecutor(1, thread_name_prefix="reported") as thread:  # leaving it waits for the thread
        ended = thread.submit(call, report)
        ended.add_done_callback(lambda _: said.put(_DONE))
        try:
            while (item := said.get()) is not _DONE:
                yield item  # type: ignore[misc]  # an object that is not _DONE is an R
            yield ended.result()
        finally:
            left.set()
