"""A worker has a name of its own as long as it lives, and learns of it when it was given up for lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from contracts.artifacts import Provenance
from contracts.errors import Cancelled
from contracts.jobs import Job
from jobs import leases
from jobs.leases import Lease
from jobs.records import Records
from store.artifacts import Artifacts
from store.database import Database, now_ms
from store.tables import LeaseRow
from tests.waiting import soon

pytest_plugins = ["tests.places"]


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
