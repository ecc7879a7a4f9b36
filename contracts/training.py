"""Trainings as pipelines see them, wherever they run."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from contracts.jobs import Job
from contracts.platform import Figures

Tell = Callable[[Figures], Awaitable[None]]


class Trainer(Protocol):
    async def follow(self, job: Job, tell: Tell) -> dict[str, Any] | None:
        """Begin a job's training, or go on watching it; its result, None while it still goes on.

        The training goes on whether it is watched or not. When the job is stopped meanwhile, it ends with what it has
        learnt kept.
        """
        ...

    async def tidy(self, job: Job) -> None:
        """Nothing is left of the training but what it has kept in the store."""
        ...

    async def merge(self, job: Job) -> dict[str, Any]:
        """Make one model of an adapter and its base, and keep it in the store: its key and its manifest."""
        ...
