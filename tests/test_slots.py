"""A slot has one holder at a time, and whoever loses it learns of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from sqlalchemy import select, update

from jobs import slots
from jobs.slots import Lease
from store.database import Database, now_ms
from store.tables import Slot

pytest_plugins = ["tests.places"]


def holders(database: Database) -> dict[str, str]:
    with database.session() as session:
        return {slot.name: slot.holder for slot in session.scalars(select(Slot))}


def expire(database: Database) -> None:
    """As though the holders had been silent for a lease's time."""
    with database.session() as session:
        session.execute(update(Slot).values(expires_ms=now_ms() - 1))


def take_once(url: str, slots: int) -> str:
    """In a process of its own: the slot that is had at once, or none."""
    database = Database(url)
    name = Lease(database, slots)._take_any()
    database.engine.dispose()
    return name


async def test_each_has_a_slot_of_its_own(database: Database) -> None:
    leases = [Lease(database, 3) for _ in range(3)]
    names = await asyncio.gather(*(lease.take() for lease in leases))
    assert sorted(names) == ["worker-0", "worker-1", "worker-2"]
    assert holders(database) == {lease.name: lease.holder for lease in leases}
    assert Lease(database, 3)._take_any() == ""


@pytest.mark.parametrize("free", ["new", "expired"])
def test_of_many_threads_one_gets_the_slot(database: Database, free: str) -> None:
    if free == "expired":
        Lease(database, 1)._take_any()
        expire(database)
    leases = [Lease(database, 1) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(Lease._take_any, leases))
    assert sorted(names) == [""] * 7 + ["worker-0"]
    assert holders(database) == {"worker-0": leases[names.index("worker-0")].holder}


def test_of_many_processes_one_gets_the_slot(database: Database, database_url: str) -> None:
    with get_context("spawn").Pool(3) as pool:
        names = pool.starmap(take_once, [(database_url, 2)] * 6, chunksize=2)
    assert sorted(names) == [""] * 4 + ["worker-0", "worker-1"]


async def test_who_waits_gets_an_expired_slot(database: Database) -> None:
    first, second = Lease(database, 1), Lease(database, 1)
    await first.take()
    waiting = asyncio.create_task(second.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    expire(database)
    assert await waiting == "worker-0"
    assert holders(database) == {"worker-0": second.holder}


async def test_a_lease_that_is_kept_is_not_taken(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "LEASE_MS", 300)
    monkeypatch.setattr(slots, "BEAT_S", 0.05)
    first, second = Lease(database, 1), Lease(database, 1)
    await first.take()
    keeping = asyncio.create_task(first.keep(lambda: None))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.take(), 0.7)
    keeping.cancel()
    assert await asyncio.wait_for(second.take(), 5) == "worker-0"


async def test_who_lost_its_slot_learns_of_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "BEAT_S", 0.05)
    first, second, lost = Lease(database, 1), Lease(database, 1), asyncio.Event()
    await first.take()
    keeping = asyncio.create_task(first.keep(lost.set))
    expire(database)
    while not second._take_any():  # between two beats of the first
        expire(database)
    await asyncio.wait_for(lost.wait(), 5)
    await keeping
    assert holders(database) == {"worker-0": second.holder}


async def test_a_slot_that_is_given_back_is_free_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "BEAT_S", 0.05)
    first, second, lost = Lease(database, 1), Lease(database, 1), asyncio.Event()
    await first.take()
    keeping = asyncio.create_task(first.keep(lost.set))
    await asyncio.to_thread(first.give_back)
    await asyncio.wait_for(lost.wait(), 5)  # it does not take it again by renewing
    await keeping
    assert second._take_any() == "worker-0"
    await asyncio.to_thread(first.give_back)
    assert holders(database) == {"worker-0": second.holder}
