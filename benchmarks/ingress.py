"""Requests a second of a small GET: Serve's ingress, as `troupe serve` runs it, against plain uvicorn.

python -m benchmarks.ingress
"""

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp

from benchmarks.cluster import machine, served
from cli.environment import free_port

PATH = "/healthz"
SECONDS, WARM_S = 5.0, 3.0
CONCURRENCY = (1, 32)
ROUNDS = 3  # taken in turn, so that a slow moment of the machine meets both


def main() -> None:
    with served("serve_config.local.yaml") as serve, uvicorn() as plain, uvicorn("--no-access-log") as silent:
        servers = {"uvicorn": plain, "uvicorn, no access log": silent, "Serve": serve}
        for url in servers.values():
            measure(url, 32, WARM_S)
        print(machine())
        print("| concurrency | server | requests/s | p50 ms | p99 ms | of uvicorn |\n|---|---|---|---|---|---|")
        for concurrency in CONCURRENCY:
            rounds = [{name: measure(url, concurrency) for name, url in servers.items()} for _ in range(ROUNDS)]
            base = rate([each["uvicorn"] for each in rounds])
            for name in servers:
                latencies = [each[name] for each in rounds]
                p50, p99 = percentiles([each for some in latencies for each in some])
                ratio = rate(latencies) / base
                print(f"| {concurrency} | {name} | {rate(latencies):.0f} | {p50:.1f} | {p99:.1f} | {ratio:.2f} |")


def rate(rounds: list[list[float]]) -> float:
    """Requests a second, in the middle one of the rounds."""
    return statistics.median(len(latencies) for latencies in rounds) / SECONDS


def measure(
    url: str, concurrency: int, seconds: float = SECONDS, path: str = PATH, headers: Mapping[str, str] | None = None
) -> list[float]:
    """The latency of every request that was answered, in milliseconds."""
    return asyncio.run(_measure(url + path, concurrency, seconds, dict(headers or {})))


async def _measure(url: str, concurrency: int, seconds: float, headers: dict[str, str]) -> list[float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(session: aiohttp.ClientSession) -> None:
        while (started := time.perf_counter()) < end:
            async with session.get(url) as answer:
                await answer.read()
                answer.raise_for_status()
            latencies.append((time.perf_counter() - started) * 1000)

    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(caller(session) for _ in range(concurrency)))
    return latencies


def percentiles(latencies: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(latencies, n=100)
    return cuts[49], cuts[98]


@contextmanager
def uvicorn(*options: str) -> Iterator[str]:
    """What a user would write without Serve: a FastAPI application with the same route, run as it comes."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.plain:app", "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("uvicorn did not start")


if __name__ == "__main__":
    main()
