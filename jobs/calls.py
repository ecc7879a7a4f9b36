"""The calls that a worker has under way, by job: so that a cancelled job's engine stops now and not when it is done."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any, TypeVar

from contracts.errors import Cancelled

T = TypeVar("T")


class Calls:
    def __init__(self) -> None:
        self._running: dict[str, set[asyncio.Task[Any]]] = defaultdict(set)
        self._stopped: set[str] = set()

    @property
    def jobs(self) -> list[str]:
        return list(self._running)

    async def run(self, job_id: str, call: Coroutine[Any, Any, T]) -> T:
        """Await the call; `Cancelled` when the job was stopped meanwhile, or before and is not drained yet."""
        task = asyncio.ensure_future(call)
        if job_id in self._stopped:
            task.cancel()
        self._running[job_id].add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if job_id in self._stopped:
                raise Cancelled("已取消") from None
            raise
        finally:
            task.cancel()
            self._forget(job_id, task)

    def stop(self, job_id: str) -> None:
        """Cancel what the job has under way."""
        self._stopped.add(job_id)
        for task in self._running.get(job_id, ()):
            task.cancel()

    async def drained(self, job_id: str) -> None:
        """Wait until nothing of the job is under way."""
        while tasks := self._running.get(job_id):
            await asyncio.wait(set(tasks))
            await asyncio.sleep(0)  # those who awaited them forget them first
        self._stopped.discard(job_id)

    def _forget(self, job_id: str, task: asyncio.Task[Any]) -> None:
        self._running[job_id].discard(task)
        if not self._running[job_id]:
            del self._running[job_id]
