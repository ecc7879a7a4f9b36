"""What it costs to be asked for a job's status: of one core, by a front end that polls, and at most against uvicorn.

python -m benchmarks.status
"""

import os
import time
from collections.abc import Mapping

import httpx
import psutil

from benchmarks.cluster import machine, served
from benchmarks.ingress import measure, percentiles, rate, uvicorn
from cli.demo import ask, follow, sign_in

POLLS_PER_MINUTE, POLLED_S, IDLE_S = 1_000, 30.0, 15.0
CONCURRENCY, ROUNDS = 32, 3
UNLIMITED = {f"TROUPE_{kind}_LIMIT": "10000000 per minute" for kind in ("STATUS", "GENERATION")}


def main() -> None:
    os.environ.update(UNLIMITED)
    with served("serve_config.local.yaml") as serve, uvicorn() as plain, httpx.Client(base_url=serve) as client:
        path = finished_job(client)
        measure(serve, CONCURRENCY, 3.0, path, client.headers)
        print(machine())
        print("| asked | ingress and HAProxy, % of a core | whole cluster, % |\n|---|---|---|")
        for name, polls in (("never", 0), (f"{POLLS_PER_MINUTE} a minute", POLLS_PER_MINUTE)):
            front, whole = cost(client, path, polls, POLLED_S if polls else IDLE_S)
            print(f"| {name} | {front:.1f} | {whole:.1f} |")
        print("\n| asked | requests/s | p50 ms | p99 ms | of uvicorn |\n|---|---|---|---|---|")
        asked = {
            "uvicorn, /healthz": (plain, "/healthz"),
            "Serve, /healthz": (serve, "/healthz"),
            "Serve, a job": (serve, path),
        }
        rounds = [
            {name: measure(*to_ask(place, client.headers)) for name, place in asked.items()} for _ in range(ROUNDS)
        ]
        base = rate([each["uvicorn, /healthz"] for each in rounds])
        for name in asked:
            latencies = [each[name] for each in rounds]
            p50, p99 = percentiles([each for some in latencies for each in some])
            print(f"| {name} | {rate(latencies):.0f} | {p50:.1f} | {p99:.1f} | {rate(latencies) / base:.2f} |")


def to_ask(place: tuple[str, str], headers: Mapping[str, str]) -> tuple[str, int, float, str, Mapping[str, str]]:
    return place[0], CONCURRENCY, 5.0, place[1], headers


def finished_job(client: httpx.Client) -> str:
    """The path of a job's status."""
    sign_in(client)
    task = ask(client, "POST", "/api/task/new", json={"topic": "小狐狸学会分享"})["task_id"]
    job = ask(client, "POST", f"/api/task/{task}/execute/1")["celery_task_id"]
    follow(client, job, lambda _: None)
    return f"/v1/jobs/{job}"


def cost(client: httpx.Client, path: str, polls_per_minute: int, seconds: float) -> tuple[float, float]:
    """Percent of a core that the ingress with HAProxy, and that the whole cluster spends; this process is no part."""
    start_s, before = time.perf_counter(), spent_s()
    while (now_s := time.perf_counter()) < start_s + seconds:
        if polls_per_minute:
            ask(client, "GET", path)
        pause_s = 60 / polls_per_minute if polls_per_minute else seconds
        time.sleep(max(0.0, now_s + pause_s - time.perf_counter()))
    after, passed_s = spent_s(), time.perf_counter() - start_s
    front = sum(after[pid][1] - before[pid][1] for pid in before.keys() & after.keys() if after[pid][0])
    whole = sum(after[pid][1] - before[pid][1] for pid in before.keys() & after.keys())
    return 100 * front / passed_s, 100 * whole / passed_s


def spent_s() -> dict[int, tuple[bool, float]]:
    """By process of the cluster: whether it is the ingress or HAProxy, and its CPU seconds."""
    found = {}
    for process in psutil.process_iter(["cmdline", "cpu_times"]):
        line, times = " ".join(process.info["cmdline"] or []), process.info["cpu_times"]
        if times and any(word in line for word in ("ray::", "/ray/", "haproxy")):
            front = "ServeReplica:troupe:ingress" in line or "haproxy" in line
            found[process.pid] = (front, times.user + times.system)
    return found


if __name__ == "__main__":
    main()
