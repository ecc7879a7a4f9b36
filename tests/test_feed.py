"""Who listens gets every event of its own once and in order, and nobody waits for anybody."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from sqlalchemy import text

from contracts.jobs import Event, Job
from jobs import feed as feeds
from jobs.feed import Feed
from jobs.records import Records
from store.database import Database, now_ms
from tests.waiting import soon

pytest_plugins = ["tests.places"]
OWNER = "user-1"


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


@pytest.fixture
def feed(records: Records) -> Feed:
    return Feed(records)


def log(records: Records, owner: str = OWNER) -> str:
    """One event: a job is queued. Its id."""
    job = Job(id=uuid.uuid4().hex, kind="story.write", owner=owner, params={})
    records.create(job, "story/1")
    return job.id


class Listener:
    """Collects what it hears, beside the test."""

    def __init__(self, feed: Feed, owner: str = OWNER, since_ms: int | None = None) -> None:
        self.heard: list[Event] = []
        self._events = feed.listen(owner, since_ms)
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for event in self._events:
            self.heard.append(event)

    @property
    def jobs(self) -> list[str]:
        return [event.job.id for event in self.heard]

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def listening(feed: Feed, number: int) -> None:
    """So many, each done with what was there before: from here on everything comes through its queue."""
    queues = feed._listeners
    await soon(lambda: len(queues) == number and feed._poll and all(queue._getters for queue in queues))  # type: ignore[attr-defined]


def more_than(logged: list[str], number: int) -> bool:
    return len(logged) > number


async def later() -> None:
    """In another millisecond."""
    start = now_ms()
    await soon(lambda: now_ms() > start)


async def test_from_now_on(records: Records, feed: Feed) -> None:
    log(records)
    await later()
    listener = Listener(feed)
    await listening(feed, 1)
    ids = [log(records) for _ in range(3)]
    await soon(lambda: len(listener.heard) >= 3)
    assert listener.jobs == ids
    await listener.leave()


async def test_since_a_time(records: Records, feed: Feed) -> None:
    log(records)
    await later()
    since = now_ms()
    before = [log(records) for _ in range(3)]
    listener = Listener(feed, since_ms=since)
    await soon(lambda: len(listener.heard) >= 3)
    after = [log(records) for _ in range(3)]
    await soon(lambda: len(listener.heard) >= 6)
    assert listener.jobs == before + after
    await listener.leave()


async def test_a_long_history_is_told_whole(records: Records, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "BACKLOG", 10)
    ids = [log(records) for _ in range(30)]
    listener = Listener(feed, since_ms=0)
    await soon(lambda: len(listener.heard) >= 30)
    assert listener.jobs == ids
    await listener.leave()


async def test_each_hears_its_own(records: Records, feed: Feed) -> None:
    """Of the listeners that come at once, each hears everything once."""
    ours = [Listener(feed) for _ in range(5)]
    theirs = [Listener(feed, "user-2", since_ms=0), Listener(feed, "user-12")]
    await listening(feed, 7)
    ids = [log(records) for _ in range(5)]
    other = log(records, "user-2")
    await soon(lambda: theirs[0].heard)
    last = log(records)
    await soon(lambda: all(last in listener.jobs for listener in ours))
    assert [listener.jobs for listener in ours] == [[*ids, last]] * 5
    assert [listener.jobs for listener in theirs] == [[other], []]
    for listener in ours + theirs:
        await listener.leave()


async def test_who_falls_behind_is_dropped_and_nobody_else(
    records: Records, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "BACKLOG", 2)
    slow, quick = feed.listen(OWNER), Listener(feed)
    hearing = asyncio.ensure_future(anext(slow))
    await listening(feed, 2)
    ids = [log(records)]
    first = await hearing
    for _ in range(4):
        ids.append(log(records))
        await soon(lambda: len(quick.heard) == len(ids))
    assert [first.job.id] + [event.job.id async for event in slow] == ids[:1]  # without a gap, and then the end
    ids.append(log(records))
    await soon(lambda: len(quick.heard) == 6)
    assert quick.jobs == ids
    assert len(feed._listeners) == 1
    await quick.leave()


@pytest.fixture
def writer(records: Records) -> Iterator[tuple[list[str], threading.Event]]:
    """Logs without a pause from a thread of its own, until it is told to stop."""
    logged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.001):
            logged.append(log(records))

    thread = threading.Thread(target=write)
    thread.start()
    yield logged, stop
    stop.set()
    thread.join()


async def test_nothing_is_lost_or_doubled_between_history_and_now(
    records: Records, feed: Feed, writer: tuple[list[str], threading.Event]
) -> None:
    logged, stop = writer
    listeners = []
    for _ in range(4):  # each comes in the middle of the writing
        enough = len(logged) + 20
        await soon(partial(more_than, logged, enough))
        listeners.append(Listener(feed, since_ms=0))
    await soon(lambda: len(logged) >= 150 and all(listener.heard for listener in listeners))
    stop.set()
    last = log(records)
    await soon(lambda: all(last in listener.jobs for listener in listeners))
    numbers = [event.id for event in records.events(0)]
    for listener in listeners:
        heard = [event.id for event in listener.heard]
        assert heard == numbers[: len(heard)] and len(heard) >= len(logged)
        await listener.leave()


async def test_nobody_asks_the_database_when_nobody_listens(records: Records, feed: Feed) -> None:
    for _ in range(2):
        listeners = [Listener(feed), Listener(feed, "user-2")]
        await listening(feed, 2)
        poll = feed._poll
        assert poll is not None
        await listeners[0].leave()
        await asyncio.sleep(0)
        assert not poll.done() and len(feed._listeners) == 1
        await listeners[1].leave()
        await soon(poll.done)
        assert feed._listeners == {}


async def test_a_log_that_cannot_be_read_sends_everybody_away(records: Records, feed: Feed) -> None:
    listeners = [Listener(feed), Listener(feed)]
    await listening(feed, 2)
    with records.database.session() as session:
        session.execute(text("DROP TABLE events"))
    await asyncio.wait_for(asyncio.gather(*(listener.task for listener in listeners)), 20)
    assert feed._poll is not None and feed._poll.exception() is not None


async def test_leaving_early_is_enough(records: Records, feed: Feed) -> None:
    async def first_of(events: AsyncIterator[Event]) -> Event:
        async for event in events:
            return event
        raise AssertionError("it ended")

    expected = log(records)
    assert (await first_of(feed.listen(OWNER, 0))).job.id == expected
    await soon(lambda: feed._listeners == {})
