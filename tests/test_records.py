"""The job table: what may follow what, and that every change is logged once."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.errors import Conflict, NotFound
from contracts.jobs import Event, Job
from jobs.records import Records
from store.database import Database
from store.tables import EventRow

pytest_plugins = ["tests.places"]
FINAL = frozenset({"completed", "failed", "cancelled"})
OWNER = "user-1"
AFTER = {  # what a call makes of a job in a state; in any other state it does nothing
    "start": {"queued": "running", "running": "running"},
    "report": {"running": "running"},
    "complete": {"running": "completed"},
    "fail": {"queued": "failed", "running": "failed"},
    "cancel": {"queued": "cancelled", "running": "cancelled"},
    "let_go": {},
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('records')}/troupe.db"
    else:
        url = request.getfixturevalue("new_postgres")()
    database = Database(url)
    database.migrate()
    yield Records(database)
    database.engine.dispose()


def new(records: Records, subject: str = "story/1", owner: str = OWNER) -> str:
    job = Job(id=uuid.uuid4().hex, kind="story.write", owner=owner, params={"task_id": 1})
    records.create(job, subject)
    return job.id


def call(records: Records, name: str, job_id: str) -> object:
    match name:
        case "start":
            return records.start(job_id)
        case "report":
            records.report(job_id, 0.5, "half")
        case "complete":
            return records.complete(job_id, {"resources": ["a"]})
        case "fail":
            return records.fail(job_id, "no")
        case "cancel":
            return records.cancel(job_id)
        case _:
            records.let_go(job_id)
    return None


def states(events: list[Event]) -> list[str]:
    return [event.data["state"] for event in events if event.kind == "state"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(AFTER)), max_size=8))
def test_any_order_of_calls(records: Records, calls: list[str]) -> None:
    job_id = new(records)
    state, told, reports, held = "queued", ["queued"], 0, False
    for name in calls:
        answer = call(records, name, job_id)
        following = AFTER[name].get(state)
        if name in ("complete", "fail", "cancel"):
            assert answer is (following is not None)
        elif name == "start":
            assert (answer is not None) is (following is not None)
        held = (held or (name == "cancel" and state == "running")) and name != "let_go"
        reports += name == "report" and state == "running"
        if following and following != state:
            told.append(following)
        state = following or state
    view, events = records.get(job_id, OWNER), records.events(0, job_id=job_id)
    assert view.state == state
    assert states(events) == told
    assert sum(event.kind == "progress" for event in events) == reports
    assert len([name for name in told if name in FINAL]) == (state in FINAL)
    assert (view.finished_ms is not None) is (state in FINAL and not held)
    assert (view.started_ms is not None) is ("running" in told)
    assert [event.id for event in events] == sorted(event.id for event in events)


def test_of_three_ends_at_once_one_counts(records: Records) -> None:
    together = threading.Barrier(3)

    def end(name: str, job_id: str) -> object:
        together.wait(10)
        return call(records, name, job_id)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(15):
            job_id = new(records)
            records.start(job_id)
            ends = {name: pool.submit(end, name, job_id) for name in ("complete", "fail", "cancel")}
            counted = [name for name, end_of in ends.items() if end_of.result()]
            view = records.get(job_id, OWNER)
            expected = {"complete": "completed", "fail": "failed", "cancel": "cancelled"}
            assert [expected[name] for name in counted] == [view.state]
            assert states(records.events(0, job_id=job_id)) == ["queued", "running", view.state]


def test_a_claim_that_refuses_leaves_no_job(records: Records) -> None:
    job = Job(id=uuid.uuid4().hex, kind="story.write", owner=OWNER, params={})

    def refuse(session: Session) -> None:
        raise Conflict("任务正在执行。")

    with pytest.raises(Conflict):
        records.create(job, "story/2", refuse)
    with pytest.raises(NotFound):
        records.get(job.id, OWNER)
    assert records.events(0, job_id=job.id) == []


def test_another_owner_sees_nothing(records: Records) -> None:
    owner, stranger = uuid.uuid4().hex, uuid.uuid4().hex
    job_id = new(records, owner=owner)
    with pytest.raises(NotFound):
        records.get(job_id, stranger)
    assert [job.id for job in records.newest([owner], 10, 2**50)] == [job_id]
    assert (records.newest([stranger], 10, 2**50), records.events(0, owners=[stranger])) == ([], [])


def test_jobs_of_a_subject_go_with_their_events(records: Records) -> None:
    subject = f"story/{uuid.uuid4().hex}"
    ids, other = [new(records, subject) for _ in range(3)], new(records, subject + "1")
    assert [job.id for job in records.of_subject(subject)] == ids
    assert records.stopped([*ids, other, "gone"]) == {*ids, other, "gone"}
    records.start(other)
    records.delete_subject(subject)
    assert records.of_subject(subject) == []
    with records.database.session() as session:
        left = set(session.scalars(text("SELECT job_id FROM events")))
    assert other in left and not left & set(ids)
    assert records.stopped([*ids, other]) == set(ids)
    for name in AFTER:
        assert not call(records, name, ids[0])


@pytest.mark.parametrize("words", ["中文 🦊", "a\0b", "half \ud83d of a fox", "'; DROP TABLE jobs; --"])
def test_any_words_can_be_kept(records: Records, words: str) -> None:
    job = Job(id=uuid.uuid4().hex, kind="story.write", owner=OWNER, params={"topic": words})
    records.create(job, "story/1")
    started = records.start(job.id)
    assert started is not None and started.params == {"topic": words}
    records.report(job.id, 0.5, words)
    records.complete(job.id, {"said": words})
    view = records.get(job.id, OWNER)
    assert view.result == {"said": words}
    assert view.message == words.replace("\0", "\ufffd").replace("\ud83d", "?")
    assert records.events(0, job_id=job.id)[-1].data["result"] == {"said": words}


def test_the_log_outlives_thirty_two_bits(records: Records) -> None:
    job_id, after = new(records), 2**40
    with records.database.session() as session:
        session.add(EventRow(id=after, job_id=job_id, owner="x", kind="state", data={}, created_ms=1))
    assert [event.id for event in records.events(after - 1, owners=["x"])] == [after]


def test_who_reads_on_from_the_last_number_misses_nothing(records: Records) -> None:
    """The first of two writers is slow to commit: the event of the second, with a higher number, comes after it."""
    owner, inside, go_on = uuid.uuid4().hex, threading.Event(), threading.Event()

    def linger(session: Session) -> None:
        inside.set()
        go_on.wait(10)

    slow = Job(id=uuid.uuid4().hex, kind="story.write", owner=owner, params={})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(records.create, slow, "story/1", linger)
        assert inside.wait(10)
        second = pool.submit(new, records, owner=owner)
        wait([second], 0.3)  # it would be done by now
        seen = [event.id for event in records.events(0, owners=[owner])]
        go_on.set()
        wait([first])
        wait([second])
    seen += [event.id for event in records.events(seen[-1] if seen else 0, owners=[owner])]
    assert len(seen) == 2
