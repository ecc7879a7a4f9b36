"""Requests that are alike, drawn in one call: each hears of its own, and leaves when it likes."""

import threading
import time
from collections.abc import Callable, Generator, Hashable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from contracts.errors import EngineFailed, ServiceError
from contracts.image import Picture
from contracts.model import Progress

Asked = TypeVar("Asked")
TURN_S = 1.0  # how often one that waits can leave
GATHER_S = 0.05  # how long a batch waits for those whom the batch before has answered


class Seat(Generic[Asked]):
    """One request, as the two threads see it: who waits for its picture, and who draws."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.fraction = asked, 0.0
        self.left = threading.Event()  # nobody waits for it any more
        self.ended = threading.Event()  # who draws is done with it
        self.batch: list[Seat[Asked]] = [self]
        self.thread = threading.current_thread()  # that draws it
        self._told: SimpleQueue[Progress | Picture | ServiceError | None] = SimpleQueue()

    def report(self, fraction: float) -> None:
        """What is drawn a second time says nothing until it has come as far as before."""
        if fraction > self.fraction:
            self.fraction = fraction
            self._told.put(Progress(fraction=fraction))

    def end(self, outcome: Picture | ServiceError | None = None) -> None:
        """Only the first outcome counts; None: there is none."""
        if not self.ended.is_set():
            self._told.put(outcome)
            self.ended.set()

    def told(self) -> Generator[Progress | Picture]:
        """Everything said of it; about once a second something is, so that who waits can leave."""
        while True:
            try:
                item = self._told.get(timeout=TURN_S)
            except Empty:
                yield Progress(fraction=self.fraction)
                continue
            if item is None:
                raise EngineFailed("模型没有画出图片。")
            if isinstance(item, ServiceError):
                raise item
            yield item
            if isinstance(item, Picture):
                return


class Batches(Generic[Asked]):
    """Batches one after another, each in a thread of its own; there is none while nobody waits.

    A batch has the first that waits and those that are `alike`, up to `most`. `draw` ends every seat, and is told
    nothing of those that left before it began.
    """

    def __init__(
        self, draw: Callable[[list[Seat[Asked]]], None], alike: Callable[[Asked], Hashable], most: int
    ) -> None:
        self.draw, self.alike, self.most = draw, alike, most
        self._waiting: list[Seat[Asked]] = []
        self._last, self._busy = 1, False
        self._changed = threading.Condition()

    def drawn(self, asked: Asked) -> Generator[Progress | Picture]:
        """Progress, and last the picture. Closed early, it returns when the model no longer works for it."""
        seat = Seat(asked)
        with self._changed:
            self._waiting.append(seat)
            self._changed.notify_all()
            self._begin()
        try:
            yield from seat.told()
        finally:
            self._leave(seat)

    def _begin(self) -> None:
        if self._waiting and not self._busy:
            self._busy = True
            threading.Thread(target=self._turn, name="batch").start()

    def _turn(self) -> None:
        batch = self._gathered()
        try:
            if batch:
                self.draw(batch)
        finally:
            for seat in batch:
                seat.end()  # also when the model has failed in a way that nobody foresaw
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._begin()

    def _gathered(self) -> list[Seat[Asked]]:
        """As many as there were before may come again: they have only just been answered."""
        until = time.monotonic() + GATHER_S
        with self._changed:
            while len(self._waiting) < self._last and (left_s := until - time.monotonic()) > 0:
                self._changed.wait(left_s)
            kind = self.alike(self._waiting[0].asked) if self._waiting else None
            batch = [seat for seat in self._waiting if self.alike(seat.asked) == kind][: self.most]
            self._waiting = [seat for seat in self._waiting if seat not in batch]
            self._last = max(1, len(batch))
            for seat in batch:
                seat.batch, seat.thread = batch, threading.current_thread()
            return batch

    def _leave(self, seat: Seat[Asked]) -> None:
        seat.left.set()
        with self._changed:
            if seat in self._waiting:
                self._waiting.remove(seat)
                return
        seat.ended.wait()
        if all(other.ended.is_set() for other in seat.batch):
            seat.thread.join()
