"""What the queue of jobs costs on SQLite and on Postgres: jobs a second, an idle worker, the loss of a worker.

python -m benchmarks.jobs
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import func, select

from benchmarks.cluster import machine
from benchmarks.databases import postgres, sqlite
from contracts.jobs import Job
from contracts.settings import ROOT, Settings
from jobs.jobs import Jobs, new_id
from store.database import Database
from store.tables import JobRow

JOBS = 200
IDLE_S = 10.0
ROUNDS = 3
LATEST_S = 120.0


def main() -> None:
    print(machine())
    print("| database | submitted/s | done/s | one job, ms | idle worker, % of a core | goes on after kill -9, s |")
    print("|---|---|---|---|---|---|")
    for name, place in {"SQLite": sqlite, "Postgres": postgres}.items():
        with place() as settings, client(settings) as jobs:
            with worker(settings) as process:
                one(jobs)
                submitted, done = many(jobs)
                single = statistics.median(one(jobs) for _ in range(ROUNDS * 3))
                cpu = idle(process)
            again = statistics.median(killed(settings, jobs) for _ in range(ROUNDS))
        print(f"| {name} | {submitted:.0f} | {done:.0f} | {single * 1000:.0f} | {cpu:.1f} | {again:.1f} |")


@contextmanager
def client(settings: Settings) -> Iterator[Jobs]:
    database = Database(settings.tables_url)
    jobs = Jobs(settings, database)
    yield jobs
    jobs._client.destroy()
    database.engine.dispose()


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = start(settings)
    yield process
    process.communicate(timeout=30)


def start(settings: Settings) -> subprocess.Popen[bytes]:
    mine = {"TROUPE_VAR": str(settings.var), "TROUPE_DATABASE_URL": settings.database_url}
    command = [sys.executable, "-m", "benchmarks.worker"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | mine, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def many(jobs: Jobs) -> tuple[float, float]:
    """Jobs a second: into the queue, and from the first one's submission to the last one's end."""
    before, started = ended(jobs), time.perf_counter()
    for _ in range(JOBS):
        submit(jobs, "brief")
    submitted = time.perf_counter() - started
    wait(lambda: ended(jobs) == before + JOBS, every_s=0.1)
    return JOBS / submitted, JOBS / (time.perf_counter() - started)


def one(jobs: Jobs) -> float:
    """Seconds that a job takes when there is no other."""
    before, started = ended(jobs), time.perf_counter()
    submit(jobs, "brief")
    wait(lambda: ended(jobs) > before)
    return time.perf_counter() - started


def idle(process: subprocess.Popen[bytes]) -> float:
    """Percent of a core that a worker takes while there is nothing to do."""
    watched = psutil.Process(process.pid)
    before = watched.cpu_times()
    time.sleep(IDLE_S)
    after = watched.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / IDLE_S


def killed(settings: Settings, jobs: Jobs) -> float:
    """Seconds from a worker's death to the moment another one, started at once, is at its job's step."""
    file = settings.var / f"{new_id()}.pid"
    file.parent.mkdir(parents=True, exist_ok=True)
    first = start(settings)
    job_id = submit(jobs, "held", file=str(file))
    wait(lambda: at_it(file) == first.pid)
    first.kill()
    lost = time.perf_counter()
    second = start(settings)
    wait(lambda: at_it(file) == second.pid)
    seconds = time.perf_counter() - lost
    jobs.cancel(job_id, "nobody")
    wait(lambda: jobs.records.get(job_id, "nobody").finished_ms is not None)
    for process in (first, second):
        process.communicate(timeout=30)
    return seconds


def at_it(file: Path) -> int:
    return int(file.read_text() or 0) if file.exists() else 0


def submit(jobs: Jobs, kind: str, **params: str) -> str:
    job = Job(id=new_id(), kind=kind, owner="nobody", params=params)
    jobs.submit(job, f"benchmark/{job.id}")
    return job.id


def ended(jobs: Jobs) -> int:
    with jobs.records.database.session() as session:
        return session.scalar(select(func.count()).where(JobRow.finished_ms.is_not(None))) or 0


def wait(condition: Callable[[], bool], every_s: float = 0.02) -> None:
    deadline = time.monotonic() + LATEST_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the jobs do not end")
        time.sleep(every_s)


if __name__ == "__main__":
    main()
