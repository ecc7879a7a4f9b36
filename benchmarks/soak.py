"""An hour of mixed work at half of what the cluster can: whether memory grows, anything fails, or answers get slower.

python -m benchmarks.soak [--minutes 60] [--config serve_config.local.yaml]

First, a minute of work as fast as it goes, by `CALLERS` at once, gives the capacity; then work comes at half that rate.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from benchmarks.cluster import machine, served

CALLERS, WARM_S, LOOK_S = 4, 60.0, 30.0
FREE = {f"TROUPE_{kind}_LIMIT": "1000000 per minute" for kind in ("GENERATION", "STATUS")}
LINE = "这款杯子双层真空，保温十二小时，今天下单送杯刷。"


@dataclass
class Seen:
    """`took_s`: when it ended and how long it took, by kind of work; `memory`: when, and bytes of all processes."""

    took_s: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)

    @property
    def done(self) -> int:
        return sum(map(len, self.took_s.values()))


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--config", default="serve_config.local.yaml")
    options = asked.parse_args()
    os.environ.update(FREE)
    with served(options.config) as url:
        fast = asyncio.run(work(url, WARM_S))
        every_s = 2 * WARM_S / max(1, fast.done)
        rate = fast.done / WARM_S
        print(f"{machine()}, load {psutil.getloadavg()[0]:.0f}; half of {rate:.2f} pieces of work a second\n")
        tell(asyncio.run(work(url, options.minutes * 60, every_s)))


async def work(url: str, seconds: float, every_s: float = 0) -> Seen:
    """Each caller does one thing after another; with `every_s`, a piece begins so often, whatever has ended."""
    seen, began_s = Seen(), time.monotonic()
    turn = itertools.cycle(KINDS)
    async with httpx.AsyncClient(base_url=url, timeout=300) as client:
        watching = asyncio.create_task(watch(seen, began_s))
        if not every_s:
            await asyncio.gather(*(pieces(client, seen, turn, began_s, seconds) for _ in range(CALLERS)))
        else:
            begun: set[asyncio.Task[None]] = set()
            for number in range(int(seconds / every_s)):
                await asyncio.sleep(max(0, began_s + number * every_s - time.monotonic()))
                task = asyncio.create_task(piece(client, seen, next(turn), began_s))
                begun.add(task)
                task.add_done_callback(begun.discard)
            await asyncio.gather(*begun)
        watching.cancel()
    return seen


async def pieces(client: httpx.AsyncClient, seen: Seen, turn: Any, began_s: float, seconds: float) -> None:
    while time.monotonic() < began_s + seconds:
        await piece(client, seen, next(turn), began_s)


async def piece(client: httpx.AsyncClient, seen: Seen, kind: str, began_s: float) -> None:
    started = time.monotonic()
    try:
        await KINDS[kind](client)
    except (httpx.HTTPError, RuntimeError) as error:
        seen.failures[f"{kind}: {type(error).__name__} {error}"[:120]] += 1
        return
    now = time.monotonic()
    seen.took_s.setdefault(kind, []).append((now - began_s, now - started))


async def watch(seen: Seen, began_s: float) -> None:
    """Proportional set size: what processes share is counted once."""
    while True:
        seen.memory.append((time.monotonic() - began_s, await asyncio.to_thread(memory_bytes)))
        await asyncio.sleep(LOOK_S)


def memory_bytes() -> float:
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it has ended
    return total


async def status(client: httpx.AsyncClient) -> None:
    (await client.get("/v1/jobs")).raise_for_status()


async def speech(client: httpx.AsyncClient) -> None:
    (await client.post("/v1/audio/speech", json={"model": "espeak", "input": LINE, "voice": ""})).raise_for_status()


async def chat(client: httpx.AsyncClient) -> None:
    asked = {"model": "scripted", "messages": [{"role": "user", "content": "你好"}], "max_tokens": 128}
    (await client.post("/v1/chat/completions", json=asked)).raise_for_status()


async def polish(client: httpx.AsyncClient) -> None:
    answer = await client.post("/live/api/script/polish", json={"content": LINE})
    if answer.json().get("code") != 1:
        raise RuntimeError(answer.text)


async def picture(client: httpx.AsyncClient) -> None:
    asked = {"prompt": "雪地里的小狐狸", "width": 512, "height": 512, "model_id": "painter"}
    task = (await client.post("/media/api/text-to-image/generate", json=asked)).raise_for_status().json()
    while task["status"] == "processing":
        await asyncio.sleep(0.5)
        told = await client.get(f"/media/api/text-to-image/status/{task['task_id']}")
        task = told.raise_for_status().json()
    if task["status"] != "completed":
        raise RuntimeError(str(task))


KINDS = {"status": status, "speech": speech, "chat": chat, "polish": polish, "picture": picture}


def tell(seen: Seen) -> None:
    """The first and the last quarter side by side."""
    print("| work | done | p50 ms, first quarter | last | p99 ms, first quarter | last |\n|---|---|---|---|---|---|")
    for kind, took in seen.took_s.items():
        first, last = (cuts(each) for each in quarters(took))
        print(f"| {kind} | {len(took)} | {first[0]:.0f} | {last[0]:.0f} | {first[1]:.0f} | {last[1]:.0f} |")
    first, last = (statistics.median(value for _, value in each) / 2**20 for each in quarters(seen.memory))
    print(
        f"\nMemory: {first:.0f} MiB in the first quarter, {last:.0f} in the last ({100 * (last / first - 1):+.1f} %)."
    )
    print(f"Failures: {sum(seen.failures.values())}", *(f"\n- {each}: {n}" for each, n in seen.failures.items()))


def quarters(values: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Those of the first and of the last quarter of the time."""
    end = values[-1][0]
    return [each for each in values if each[0] <= end / 4], [each for each in values if each[0] >= end * 3 / 4]


def cuts(took: list[tuple[float, float]]) -> tuple[float, float]:
    """p50 and p99, in milliseconds."""
    found = statistics.quantiles([seconds * 1000 for _, seconds in took], n=100)
    return found[49], found[98]


if __name__ == "__main__":
    main()
