"""A worker with small pipelines, as a process that can be killed. It ends when its standard input does.

Every call leaves a line in the file `notes` of its job, so that a test can count how often something was done. A call
that waits goes on as soon as the file `go` is there, or `go-<pid>` for this process alone.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.errors import InvalidInput, Overloaded
from contracts.jobs import Job, Pipeline, Steps
from contracts.platform import LORA
from contracts.settings import Settings
from jobs import engine, worker
from jobs.worker import Worker
from store.artifacts import Artifacts

engine.POLL_S = 0.05  # the tests wait for one job after another
worker.SWEEP_S = 0.3
STEPS = 6
WAITS_AT = 4


async def note(folder: str, line: str) -> str:
    with (Path(folder) / "notes").open("a") as file:
        file.write(f"{line}\n")
    return line


async def wait(folder: str, line: str) -> str:
    """Notes when it starts, when it may go on, and when it is stopped before."""
    await note(folder, f"{line} waits")
    try:
        while not any((Path(folder) / name).exists() for name in ("go", f"go-{os.getpid()}")):
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        await note(folder, f"{line} stopped")
        raise
    return await note(folder, line)


async def plain(job: Job, steps: Steps) -> dict[str, Any]:
    first = await steps.run("first", note, job.params["folder"], "first")
    await steps.report(0.5, "half")
    second = await steps.run("second", note, job.params["folder"], "second")
    await steps.report(1.0, "done")
    return {"said": [first, second]}


async def numbered(job: Job, steps: Steps) -> dict[str, Any]:
    """Six steps, of which one waits."""
    said = []
    for number in range(1, STEPS + 1):
        call = wait if number == WAITS_AT else note
        said.append(await steps.run(f"step-{number}", call, job.params["folder"], f"step {number}"))
    return {"said": said}


async def long(job: Job, steps: Steps) -> dict[str, Any]:
    return {"said": await steps.run("long", wait, job.params["folder"], "long")}


async def publish(job: Job, steps: Steps) -> dict[str, Any]:
    """Keeps an artifact that names the process, once it may go on."""

    async def call() -> None:
        await wait(job.params["folder"], "publish")
        content = json.dumps({"pid": os.getpid()}).encode()
        await asyncio.to_thread(Artifacts().put, f"published/{job.id}.json", content, job.made())

    await steps.run("publish", call)
    return {}


async def refused(job: Job, steps: Steps) -> dict[str, Any]:
    async def call() -> None:
        await note(job.params["folder"], "tried")
        raise InvalidInput("这个不行。", param="topic")

    await steps.run("refused", call)
    return {}


async def refused_outside(job: Job, steps: Steps) -> dict[str, Any]:
    raise InvalidInput("这个不行。")


async def broken(job: Job, steps: Steps) -> dict[str, Any]:
    async def call() -> None:
        await note(job.params["folder"], "tried")
        raise ValueError("the secret in /etc/passwd")

    await steps.run("broken", call)
    return {}


async def broken_outside(job: Job, steps: Steps) -> dict[str, Any]:
    raise ValueError("the secret in /etc/passwd")


async def busy(job: Job, steps: Steps) -> dict[str, Any]:
    """Too much was asked of it, so many times."""

    async def call() -> str:
        notes = Path(job.params["folder"]) / "notes"
        await note(job.params["folder"], "tried")
        if len(notes.read_text().splitlines()) <= job.params["failures"]:
            raise Overloaded("稍后再试。", retry_after_s=1)
        return "at last"

    return {"said": await steps.run("busy", call)}


async def failing(job: Job, steps: Steps) -> dict[str, Any]:
    """Waits between the failure of its step and its own."""
    try:
        await (busy if job.params["failures"] else broken)(job, steps)
    except Exception:
        await wait(job.params["folder"], "failing")
        raise
    return {}


async def parts(job: Job, steps: Steps) -> dict[str, Any]:
    return {"parts": await steps.each(job.params["items"])}


async def twice(job: Job, steps: Steps) -> dict[str, Any]:
    return {"rounds": [await steps.each(items) for items in job.params["rounds"]]}


async def part(job: Job, item: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
    """Two steps; `does` says what the second is, `turns` how long it takes."""
    folder, name = job.params["folder"], f"part {item['number']}"
    await steps.run("begin", note, folder, f"{name} begins")
    for _ in range(item.get("turns", 0)):
        await asyncio.sleep(0.01)
    match item.get("does"):
        case "wait":
            await steps.run("end", wait, folder, name)
        case "refuse":
            raise InvalidInput("这一页不行。")
        case "be busy":
            raise Overloaded("稍后再试。")
        case "break":
            raise ValueError("the secret in /etc/passwd")
        case _:
            await steps.run("end", note, folder, name)
    return {"number": item["number"], "asked": dict(item)}


PIPELINES = {
    "plain": Pipeline(plain),
    "numbered": Pipeline(numbered),
    "long": Pipeline(long),
    LORA: Pipeline(long),
    "publish": Pipeline(publish),
    "refused": Pipeline(refused),
    "refused_outside": Pipeline(refused_outside),
    "broken": Pipeline(broken),
    "broken_outside": Pipeline(broken_outside),
    "busy": Pipeline(busy),
    "failing": Pipeline(failing),
    "parts": Pipeline(parts, part),
    "twice": Pipeline(twice, part),
    "no_parts": Pipeline(parts),
}


async def main() -> None:
    worker = Worker(Settings(), PIPELINES)
    await worker.start()
    await asyncio.to_thread(sys.stdin.read)
    worker.check()
    worker.lease.give_back()


if __name__ == "__main__":
    asyncio.run(main())
