"""Calls a second of a model that sleeps, on 1, 2, 4, 8 nodes of this machine: what Ray and Serve cost with more nodes.

python -m benchmarks.scale [--most 8] [--seconds 0.5]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import httpx
import psutil

from benchmarks.cluster import machine
from benchmarks.nodes import Nodes, nodes
from benchmarks.sleeping import AT_ONCE
from contracts.settings import Settings

COUNTS = (1, 2, 4, 8)
MEASURE_S, READY_S = 20.0, 300.0


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--most", type=int, default=COUNTS[-1], help="nodes, besides the head")
    asked.add_argument("--seconds", type=float, default=0.5, help="that a call takes")
    options = asked.parse_args()
    here = f"{machine()}, load {psutil.getloadavg()[0]:.0f}"
    print(f"{here}; a call takes {options.seconds:g} s, {AT_ONCE} a node at once\n")
    print("| nodes | calls/s | of what their models can | p50 ms | p99 ms | CPU, % of the machine |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as var, nodes(Settings(var=Path(var))) as some:
        some.start_head()
        for count in (each for each in COUNTS if each <= options.most):
            grow(some, count, options.seconds)
            psutil.cpu_percent()
            took_ms = asyncio.run(measure([node.http for node in some.members[1:]], options.seconds))
            rate, able = len(took_ms) / MEASURE_S, count * AT_ONCE / options.seconds
            cuts = statistics.quantiles(took_ms, n=100)
            print(
                f"| {count} | {rate:.1f} | {rate / able:.2f} | {cuts[49]:.0f} | {cuts[98]:.0f} "
                f"| {psutil.cpu_percent():.0f} |",
                flush=True,
            )


def grow(some: Nodes, count: int, seconds: float) -> None:
    """So many nodes, each with a proxy, an ingress and a model."""
    while len(some.members) - 1 < count:
        some.add(cpus=1)
    arguments = {"seconds": str(seconds), "replicas": str(count)}
    application = {"name": "scale", "route_prefix": "/", "import_path": "benchmarks.sleeping:build", "args": arguments}
    some.deploy({"proxy_location": "EveryNode", "http_options": {}, "applications": [application]})
    deadline = time.monotonic() + READY_S
    while not (some.status() == "RUNNING" and all(answers(node.http) for node in some.members[1:])):
        if time.monotonic() > deadline:
            raise TimeoutError("the nodes did not begin to serve")
        time.sleep(0.5)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


async def measure(urls: list[str], seconds: float) -> list[float]:
    """Milliseconds of every call: at each node as many callers as its model takes at once."""
    took_ms: list[float] = []
    end = time.perf_counter() + MEASURE_S

    async def caller(session: aiohttp.ClientSession, url: str) -> None:
        while (began := time.perf_counter()) < end - seconds:
            async with session.get(url) as answer:
                answer.raise_for_status()
                await answer.read()
            took_ms.append((time.perf_counter() - began) * 1000)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(caller(session, url) for url in urls for _ in range(AT_ONCE)))
    return took_ms


if __name__ == "__main__":
    main()
