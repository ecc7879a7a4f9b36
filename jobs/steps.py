"""`Steps` on DBOS: every step's outcome is written down before the next begins, and found again after a crash."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from dbos import DBOS, SetWorkflowID
from dbos._error import DBOSMaxStepRetriesExceeded
from dbos._serialization import PortableWorkflowError

from contracts.errors import ServiceError, Unavailable, error_of
from contracts.jobs import Job
from jobs.calls import Calls
from jobs.records import Records

ATTEMPTS = 3
REPORT_EVERY_S = 0.25
PartWorkflow = Callable[[str, int, dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]


class DurableSteps:
    def __init__(self, job: Job, calls: Calls, records: Records, part: PartWorkflow) -> None:
        self.job, self.calls, self.records, self.part = job, calls, records, part
        self._reported_s = 0.0

    async def run(self, name: str, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        async def attempt() -> dict[str, Any]:
            return await outcome(self.calls.run(self.job.id, _coroutine(call(*args))))

        options: Any = {"name": name, "retries_allowed": True, "max_attempts": ATTEMPTS, "interval_seconds": 0.5}
        try:
            return unwrap(await DBOS.run_step_async(options, attempt))
        except (DBOSMaxStepRetriesExceeded, PortableWorkflowError) as error:
            last = getattr(error, "errors", [None])[-1]
            raise last if isinstance(last, ServiceError) else Unavailable(f"{name}: {error}") from None

    async def each(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One child workflow an item: step numbers are given in the order of execution, which branches do not keep."""
        handles = []
        for number, item in enumerate(items, 1):
            with SetWorkflowID(f"{self.job.id}-part-{number}"):
                handles.append(await DBOS.start_workflow_async(self.part, self.job.id, number, dict(item)))
        results = []
        for handle in handles:
            results.append(unwrap(await handle.get_result(polling_interval_sec=0.1)))
            await self.report(len(results) / len(handles))
        return results

    async def report(self, fraction: float, message: str = "") -> None:
        """Reports that follow too fast on one another are left out."""
        if fraction < 1 and time.monotonic() - self._reported_s < REPORT_EVERY_S:
            return
        self._reported_s = time.monotonic()
        await asyncio.to_thread(self.records.report, self.job.id, fraction, message)


async def outcome(call: Awaitable[Any]) -> dict[str, Any]:
    """What happened, as data: DBOS writes exceptions down without their class. What is worth a retry is raised."""
    try:
        return {"value": await call}
    except ServiceError as error:
        if error.retryable:
            raise
        return {"failure": [error.code, error.message, error.param]}


def unwrap(happened: dict[str, Any]) -> Any:
    if failure := happened.get("failure"):
        raise error_of(*failure)
    return happened["value"]


async def _coroutine(call: Awaitable[Any]) -> Any:
    return await call
