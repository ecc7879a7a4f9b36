"""A worker whose jobs do next to nothing, for the benchmark of jobs. It ends when its standard input does.

python -m benchmarks.worker
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from contracts.jobs import Job, Pipeline, Steps
from contracts.settings import Settings
from jobs.worker import Worker


async def brief(job: Job, steps: Steps) -> dict[str, Any]:
    """Two steps that do nothing."""
    return {"steps": [await steps.run("first", nothing), await steps.run("second", nothing)]}


async def held(job: Job, steps: Steps) -> dict[str, Any]:
    """A step that does nothing, and one that says which process is at it and waits to be killed."""
    await steps.run("first", nothing)
    await steps.run("second", hold, job.params["file"])
    return {}


async def nothing() -> str:
    return "done"


async def hold(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    await asyncio.Event().wait()


async def main() -> None:
    worker = Worker(Settings(), {"brief": Pipeline(brief), "held": Pipeline(held)})
    await worker.start()
    await asyncio.to_thread(sys.stdin.read)
    worker.lease.give_back()


if __name__ == "__main__":
    asyncio.run(main())
