"""Durable work: what a job is, and what a pipeline may ask of the engine that runs it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contracts.artifacts import Provenance
from contracts.model import Contract

JobState = Literal["queued", "running", "completed", "failed", "cancelled"]
CallbackState = Literal["waiting", "delivered", "given_up"]


class Job(Contract):
    """A job as its pipeline sees it."""

    id: str
    kind: str
    owner: str
    params: dict[str, Any]
    trace: str = ""  # of the call that it was submitted by, as W3C's `traceparent` writes it
    lease: str = ""  # of the worker who runs it

    def made(self, model: str = "", prompt: str = "", **parameters: Any) -> Provenance:
        """What the job's artifacts tell of themselves."""
        return Provenance(
            owner=self.owner, job_id=self.id, lease=self.lease, model=model, prompt=prompt, parameters=parameters
        )


class CallbackView(Contract):
    """Where the job's end is told, and how often that was tried."""

    url: str
    state: CallbackState
    attempts: int


class JobView(Contract):
    """A job as its owner sees it. Times are milliseconds since 1970, UTC."""

    id: str
    kind: str
    state: JobState
    progress: float
    message: str
    error: str
    error_code: str | None
    params: dict[str, Any]
    result: dict[str, Any]
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    callback: CallbackView | None


class JobAnswer(Contract):
    """A job as HTTP tells of it, in answers and to callbacks. Times as above; progress is 0–1."""

    id: str
    kind: str
    state: JobState
    progress: float
    message: str
    error: str | None
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    callback: CallbackView | None

    @classmethod
    def of(cls, job: JobView) -> "JobAnswer":
        return cls(**job.model_dump(exclude={"error", "error_code", "params", "result"}), error=job.error or None)


class Event(Contract):
    """One line of the event log. `kind` is "progress" or "state"."""

    id: int
    owner: str
    kind: str
    data: dict[str, Any]
    created_ms: int
    job: Job


class Steps(Protocol):
    """What a pipeline asks of the engine. Calls must come in the same order on every run."""

    async def run(self, name: str, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Call once and remember the result (JSON) across crashes; retried when the failure says so."""
        ...

    async def each(self, items: Sequence[Mapping[str, Any]], until: float = 1.0) -> list[dict[str, Any]]:
        """Run the pipeline's part for every item, side by side; results in the order of the items.

        `until` is the job's progress when all are done.
        """
        ...

    async def report(self, fraction: float, message: str = "", figures: dict[str, Any] | None = None) -> None:
        """Tell how far the job is, 0–1; `figures`: what else is known of it by now."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """What runs a kind of job, bound to its engines; `part` runs one item of `Steps.each`."""

    run: Callable[[Job, Steps], Awaitable[dict[str, Any]]]
    part: Callable[[Job, Mapping[str, Any], Steps], Awaitable[dict[str, Any]]] | None = None
