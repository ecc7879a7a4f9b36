"""Durable work: what a job is, and what a pipeline may ask of the engine that runs it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contracts.model import Contract

JobState = Literal["queued", "running", "completed", "failed", "cancelled"]


class Job(Contract):
    """A job as its pipeline sees it."""

    id: str
    kind: str
    owner: str
    params: dict[str, Any]


class JobView(Contract):
    """A job as its owner sees it. Times are milliseconds since 1970, UTC."""

    id: str
    kind: str
    state: JobState
    progress: float
    message: str
    error: str
    params: dict[str, Any]
    result: dict[str, Any]
    created_ms: int
    started_ms: int | None
    finished_ms: int | None


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

    async def report(self, fraction: float, message: str = "") -> None:
        """Tell how far the job is, 0–1."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """What runs a kind of job, bound to its engines; `part` runs one item of `Steps.each`."""

    run: Callable[[Job, Steps], Awaitable[dict[str, Any]]]
    part: Callable[[Job, Mapping[str, Any], Steps], Awaitable[dict[str, Any]]] | None = None
