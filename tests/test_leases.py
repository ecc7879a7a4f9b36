"""A worker has a name of its own as long as it lives, and learns of it when it was given up for lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from sqlalchemy import select, update

from contracts.artifacts import Provenance
from contracts.errors import Cancelled, InvalidInput, NotFound
from contracts.jobs import Job, Pipeline
from contracts.settings import ROOT, Settings
from jobs import leases
from jobs import worker as workers
from jobs.leases import Lease
from jobs.records import Records
from jobs.worker import Worker
from store.artifacts import Artifacts
from store.database import Database, now_ms
from store.tables import LeaseRow
from tests.running import run_job
from tests.stalled_process import KEY
from tests.waiting import eventually, soon

pytest_plugins = ["tests.places"]
STANDS_STILL_S = 10.0


def taken(database: Database) -> Lease:
    lease = Lease(database)
    lease.take()
    return lease


def holders(database: Database) -> set[str]:
    with database.session() as session:
        return set(session.scalars(select(LeaseRow.holder)))


def expire(database: Database, *gone: Lease) -> None:
    """As though these had been silent for a lease's time."""
    with database.session() as session:
        theirs = LeaseRow.holder.in_([lease.holder for lease in gone])
        session.execute(update(LeaseRow).where(theirs).values(expires_ms=now_ms() - 1))


def test_each_has_a_name_of_its_own(database: Database) -> None:
    several = [taken(database) for _ in range(3)]
    assert holders(database) == {lease.holder for lease in several} == several[0].living()
    assert len(holders(database)) == 3


def test_who_is_silent_is_given_up(database: Database) -> None:
    first, second, third = (taken(database) for _ in range(3))
    expire(database, second)
    assert first.living() == {first.holder, third.holder} == holders(database)


async def test_who_was_given_up_learns_of_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.05)
    stalled, other, lost = taken(database), taken(database), asyncio.Event()
    expire(database, stalled)
    other.living()
    await asyncio.wait_for(stalled.keep(lost.set), 5)
    assert lost.is_set()
    assert not await stalled.is_held()
    assert holders(database) == {other.holder}


async def test_who_was_late_but_not_given_up_goes_on(database: Database) -> None:
    late = taken(database)
    expire(database, late)
    assert late.living() == {late.holder}
    assert await late.is_held()
    assert taken(database).living() >= {late.holder}


async def test_a_lease_that_is_kept_does_not_run_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_MS", 1_000)
    monkeypatch.setattr(leases, "BEAT_S", 0.05)
    kept, other = taken(database), taken(database)
    start_ms, keeping = now_ms(), asyncio.create_task(kept.keep(lambda: None))
    await soon(lambda: now_ms() > start_ms + 1_500)
    assert kept.holder in other.living()
    keeping.cancel()


def test_what_is_given_back_is_free_at_once(database: Database) -> None:
    first, second = taken(database), taken(database)
    first.give_back()
    assert second.living() == {second.holder}


@contextmanager
def away(database: Database) -> Iterator[None]:
    """The table is not there for a while."""
    with database.session() as session:
        session.connection().exec_driver_sql("ALTER TABLE leases RENAME TO gone")
    yield
    with database.session() as session:
        session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO leases")


async def test_who_cannot_ask_does_not_leave(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.01)
    lease = taken(database)
    with away(database):
        keeping = asyncio.create_task(lease.keep(lambda: None))
        assert await lease.is_held()
        await asyncio.wait({keeping}, timeout=0.3)
        assert not keeping.done()
    assert await lease.is_held()
    keeping.cancel()


def test_who_was_given_up_can_say_nothing_of_a_job(database: Database) -> None:
    stalled, other = taken(database), taken(database)
    late, records = Records(database, stalled.holder), Records(database, other.holder)
    records.create(Job(id="j1", kind="k", owner="user-1", params={}), "subject")
    assert late.start("j1")
    expire(database, stalled)
    other.living()
    late.report("j1", 0.5, "late")
    assert not late.complete("j1", {"resources": ["late"]})
    assert not late.fail("j1", "late")
    assert records.get("j1", "user-1").state == "running"
    assert [event.data for event in records.events(0)] == [{"state": "queued"}, {"state": "running"}]
    assert records.complete("j1", {"resources": ["right"]})


def test_who_was_given_up_can_publish_nothing(files: Artifacts) -> None:
    database = files._database
    stalled, other = taken(database), taken(database)
    files.put("a/script.json", b'{"page": 1}', Provenance(owner="user-1", job_id="j1", lease=stalled.holder))
    expire(database, stalled)
    other.living()
    before = files.read("a/script.json")
    for key in ("a/script.json", "a/other.json"):
        with pytest.raises(Cancelled):
            files.put(key, b'{"page": 2}', Provenance(owner="user-1", job_id="j1", lease=stalled.holder))
    assert files.read("a/script.json") == before
    assert not files._place[0].exists(f"{files._place[1]}/a/other.json")
    files.put("a/other.json", b'{"page": 2}', Provenance(owner="user-1", job_id="j1", lease=other.holder))


class Left(BaseException):
    """In place of the end of the process."""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Given up for lost as soon as it does anything of a job, whose end is `params["end"]`."""

    def lose() -> None:
        made.lease.give_back()

    async def run(job: Job, *_: object) -> dict[str, object]:
        await asyncio.to_thread(lose)
        if end := job.params["end"]:
            raise {"refused": InvalidInput("no"), "cancelled": Cancelled("no"), "broken": ValueError("no")}[end]
        return {}

    def leave() -> NoReturn:
        raise Left

    monkeypatch.setattr(workers, "_leave", leave)
    made = Worker(Settings(var=tmp_path), {"k": Pipeline(run, run)})
    made.records.database.migrate()
    made.lease.take()
    yield made
    made.records.database.engine.dispose()


@pytest.mark.parametrize("end", ["", "refused", "cancelled", "broken"])
async def test_who_was_given_up_does_not_end_a_job(worker: Worker, end: str) -> None:
    """What returned would be written down as done, and nobody would go on with it."""
    worker.records.create(Job(id="j1", kind="k", owner="user-1", params={"end": end}), "subject")
    with pytest.raises(Left):
        await worker.run("j1")
    with pytest.raises(Left):
        await worker.run_part("j1", {})
    assert worker.records.get("j1", "user-1").state == "running"


async def test_who_was_given_up_does_not_begin_a_job(worker: Worker) -> None:
    worker.records.create(Job(id="j1", kind="k", owner="user-1", params={}), "subject")
    worker.lease.give_back()
    with pytest.raises(Left):
        await worker.run("j1")
    assert worker.records.get("j1", "user-1").state == "queued"


@contextmanager
def standing_still(settings: Settings, does: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process amid a transaction, and its lease."""
    here = {"TROUPE_VAR": str(settings.var), "TROUPE_DATABASE_URL": settings.database_url}
    command = [sys.executable, "-m", "tests.stalled_process", does]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | here, text=True, **streams) as process:
        assert process.stdout
        try:
            holder = process.stdout.readline().strip()
            eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
            yield process, holder
        finally:
            process.kill()


@pytest.mark.parametrize("does", ["create", "renew", "put"])
def test_who_stands_still_amid_a_transaction_holds_nobody_up(
    new_postgres: Callable[[], str], tmp_path: Path, does: str
) -> None:
    files = Artifacts(Settings(var=tmp_path, database_url=new_postgres()))
    database = files._database
    database.migrate()
    run_job(database)
    stalled, other, records = Lease(database), taken(database), Records(database)
    files.put(KEY, b'{"words": "old"}', Provenance(owner="user-1", job_id="j1", lease=other.holder))

    def go_on() -> None:
        expire(database, stalled)
        assert other.living() == {other.holder}
        records.create(Job(id="j2", kind="k", owner="user-1", params={}), "subject")
        files.put(KEY, b'{"words": "new"}', Provenance(owner="user-1", job_id="j1", lease=other.holder))

    with standing_still(files.settings, does) as (process, stalled.holder), ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(go_on).result(STANDS_STILL_S)
        finally:
            process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=20)[1]
        assert process.returncode == 1 and "idle-in-transaction" in said
    assert b"new" in files.read(KEY) and files.find(KEY).size_bytes == len(files.read(KEY))
    with pytest.raises(NotFound):
        records.get("stalled", "user-1")
    database.engine.dispose()
