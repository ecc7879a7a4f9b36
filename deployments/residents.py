"""What a replica has in memory, by key: opened when first asked for, the least wanted let go when room is short."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from deployments.memory import is_full
from deployments.metrics import EVICTIONS


class Resident(Protocol):
    @property
    def size_bytes(self) -> int: ...


T = TypeVar("T", bound=Resident)


class Residents(Generic[T]):
    """Of `most_bytes` together, or one that is larger alone. None is let go that is being used.

    All calls come from one event loop.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._opening: dict[str, asyncio.Task[T]] = {}  # by key; who was asked for last is last
        self._lent: Counter[str] = Counter()
        self._known: dict[str, int] = {}  # bytes of all that have been here, as measured then

    @asynccontextmanager
    async def lent(self, key: str) -> AsyncGenerator[T]:
        """One that stays as long. Several who ask for it open it once; what has failed is tried again by the next."""
        opening = self._opening.pop(key, None)
        if opening is None or _failed(opening):
            opening = asyncio.create_task(self._opened(key))
        self._opening[key] = opening
        self._lent[key] += 1
        try:
            yield await asyncio.shield(opening)
        finally:
            self._lent[key] -= 1
            self._make_room()

    def sizes(self) -> dict[str, int]:
        """Bytes of those that are open, by key; who was asked for last is last."""
        ready = {key: task for key, task in self._opening.items() if task.done() and not _failed(task)}
        return {key: task.result().size_bytes for key, task in ready.items()}

    def let_go(self, key: str) -> None:
        """Unless somebody has it."""
        if not self._lent[key] and (task := self._opening.pop(key, None)) and not _failed(task):
            self._close(task.result())

    def _open(self, key: str) -> T:
        """Ready to be used. Blocking, in a thread."""
        raise NotImplementedError

    def _model(self, key: str) -> str:
        """What metrics call it."""
        return key

    def _close(self, item: T) -> None:
        """Nobody uses it any more."""

    async def _opened(self, key: str) -> T:
        """Where it does not fit beside those that nobody uses, without them."""
        self._make_room(self._known.get(key, 0))
        try:
            item = await asyncio.to_thread(self._open, key)
        except (RuntimeError, MemoryError) as error:
            if not is_full(error):
                raise
            self._make_room(self.most_bytes)
            item = await asyncio.to_thread(self._open, key)
        self._known[key] = item.size_bytes
        return item

    def _make_room(self, newcomer: int = 0) -> None:
        for key in [key for key, task in self._opening.items() if task.done() and _failed(task)]:
            self.let_go(key)
        for key in list(self.sizes())[: None if newcomer else -1]:  # the last may be larger than there is room for
            if sum(self.sizes().values()) + newcomer > self.most_bytes and not self._lent[key]:
                EVICTIONS.inc(1, {"model": self._model(key)})
                self.let_go(key)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
