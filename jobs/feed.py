"""The event log, followed: one poll a process, however many listen. Who reads too slowly is dropped."""

import asyncio
from collections.abc import AsyncGenerator

from contracts.jobs import Event
from jobs.records import Records
from store.database import now_ms

POLL_S = 0.2
BACKLOG = 1_000  # events that wait for one listener


class Feed:
    def __init__(self, records: Records) -> None:
        self.records = records
        self._listeners: dict[asyncio.Queue[Event | None], tuple[str, ...]] = {}
        self._poll: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._last = 0

    async def listen(self, owners: str | tuple[str, ...], since_ms: int | None = None) -> AsyncGenerator[Event]:
        """One's or several owners' events from now on, or from a time; ends when the listener falls behind."""
        owners = (owners,) if isinstance(owners, str) else owners
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        start = now_ms() if since_ms is None else since_ms
        seen = await asyncio.to_thread(self.records.last_event, start)
        self._listeners[queue] = owners
        try:
            await self._start()
            while missed := await asyncio.to_thread(self.records.events, seen, owners=owners):
                for event in missed:
                    seen = event.id
                    yield event
            while (following := await queue.get()) is not None:
                if following.id > seen:
                    yield following
        finally:
            self._listeners.pop(queue, None)

    async def _start(self) -> None:
        async with self._starting:  # two polls would hand out everything twice
            if self._poll is None or self._poll.done():
                self._last = await asyncio.to_thread(self.records.last_event, now_ms())
                self._poll = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        """Hand out new events while anybody listens; if the log cannot be read, everybody has to come again."""
        try:
            while self._listeners:
                for event in await asyncio.to_thread(self.records.events, self._last):
                    self._last = event.id
                    self._hand_out(event)
                await asyncio.sleep(POLL_S)
        finally:
            for queue in list(self._listeners):
                self._drop(queue)

    def _hand_out(self, event: Event) -> None:
        for queue in [queue for queue, owners in self._listeners.items() if event.owner in owners]:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._drop(queue)

    def _drop(self, queue: asyncio.Queue[Event | None]) -> None:
        """What waits is thrown away: what the listener has had by then is without a gap."""
        self._listeners.pop(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
