"""`Steps` on DBOS: every step's outcome is written down before the next begins, and found again after a crash."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from dbos import DBOS, SetWorkflowID

from contracts.errors import Deadline, ServiceError, error_of
from contracts.faults import BACK_S, Away
from contracts.jobs import Job
from jobs.calls import Calls
from jobs.patience import patiently
from jobs.records import Records
from store.faults import told

ATTEMPTS = 3
AWAY_S = 60.0  # that an object store may be away
PAUSE_S = 5.0  # between two attempts, at most
STEP_S = 1_800.0  # no single call of a model takes longer
REPORT_EVERY_S = 0.25
PartWorkflow = Callable[[str, int, dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
Confirm = Callable[[], Awaitable[None]]


class DurableSteps:
    """`confirm` does not return when another worker has taken over: then an outcome must not be written down."""

    def __init__(self, job: Job, calls: Calls, records: Records, part: PartWorkflow, confirm: Confirm) -> None:
        self.job, self.calls, self.records, self.part, self.confirm = job, calls, records, part, confirm
        self._reported_s, self._rounds = 0.0, 0

    async def run(self, name: str, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        left = iter(range(ATTEMPTS - 1, -1, -1))

        async def attempt() -> dict[str, Any]:
            last = next(left) == 0
            bounded = _bounded(self.calls.run(self.job.id, _called(call, args, pausing=not last)))
            happened = await outcome(bounded, last)
            await self.confirm()
            return happened

        options: Any = {"name": name, "retries_allowed": True, "max_attempts": ATTEMPTS, "interval_seconds": 0.5}
        return unwrap(await DBOS.run_step_async(options | {"should_retry": _retryable}, attempt))

    async def each(self, items: Sequence[Mapping[str, Any]], until: float = 1.0) -> list[dict[str, Any]]:
        """One child workflow an item: step numbers are given in the order of execution, which branches do not keep."""
        self._rounds += 1
        handles = []
        for number, item in enumerate(items, 1):
            with SetWorkflowID(f"{DBOS.workflow_id}-{self._rounds}-part-{number}"):
                handles.append(await DBOS.start_workflow_async(self.part, self.job.id, number, dict(item)))
        results = []
        for handle in handles:
            results.append(unwrap(await handle.get_result(polling_interval_sec=0.1)))
            await self.report(until * len(results) / len(handles))
        return results

    async def report(self, fraction: float, message: str = "", figures: dict[str, Any] | None = None) -> None:
        """Reports that follow too fast on one another are left out."""
        if fraction < 1 and time.monotonic() - self._reported_s < REPORT_EVERY_S:
            return
        self._reported_s = time.monotonic()
        await patiently(self.records.report, self.job.id, fraction, message, figures)


async def outcome(call: Awaitable[Any], last: bool = True) -> dict[str, Any]:
    """What happened, as data: DBOS writes exceptions down without their class.

    What is worth a retry is raised, unless this is the last attempt.
    """
    try:
        return {"value": await call}
    except ServiceError as error:
        if error.retryable and not last and not isinstance(error, Deadline):
            raise
        return {"failure": [error.code, error.message, error.param]}


def unwrap(happened: dict[str, Any]) -> Any:
    if failure := happened.get("failure"):
        raise error_of(*failure)
    return happened["value"]


async def _bounded(call: Awaitable[Any]) -> Any:
    try:
        return await asyncio.wait_for(call, STEP_S)
    except TimeoutError:
        raise Deadline(f"任务超时（{STEP_S / 60:.0f} 分钟）") from None


def _retryable(error: BaseException) -> bool:
    return isinstance(error, ServiceError)


async def _called(call: Callable[..., Awaitable[Any]], args: tuple[Any, ...], pausing: bool) -> Any:
    """`pausing`: a failure that is over soon, by its own account, is told only then."""
    try:
        return await _present(call, args)
    except ServiceError as error:
        if pausing and error.retryable and (pause_s := error.retry_after_s or 0) <= PAUSE_S:
            await asyncio.sleep(pause_s)
        raise


async def _present(call: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> Any:
    """The call, again while what keeps files is away: a minute of that fails no job."""
    until_s = time.monotonic() + AWAY_S
    while True:
        try:
            with told():
                return await call(*args)
        except Away:
            if time.monotonic() > until_s:
                raise
        await asyncio.sleep(BACK_S)
