"""Jobs run to an end that their owner can see, whatever happens to the worker.

On SQLite and a folder, and on Postgres and an object store.
"""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from contracts.errors import NotFound
from contracts.jobs import Event, Job, JobView
from contracts.platform import LORA
from contracts.settings import ROOT, Settings
from jobs import engine
from jobs.jobs import Jobs, new_id
from store.artifacts import Artifacts
from store.database import Database
from store.tables import JobRow, LeaseRow
from tests.waiting import eventually

pytest_plugins = ["tests.places"]
OWNER = "user-1"


@dataclass
class Place:
    """Databases, a worker process, and what is asked of them."""

    settings: Settings
    folder: Path
    jobs: Jobs
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self) -> subprocess.Popen[bytes]:
        mine = {
            "TROUPE_VAR": str(self.settings.var),
            "TROUPE_DATABASE_URL": self.settings.database_url,
            "TROUPE_ARTIFACTS_URL": self.settings.artifacts_url,
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.worker_process"],
                cwd=ROOT,
                env=os.environ | mine,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """The worker, in the middle of what it does; its slot is free as it is after a lease's time."""
        process = self.processes.pop(0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.communicate()
        with self.jobs.records.database.session() as session:
            session.execute(update(LeaseRow).values(expires_ms=0))

    def submit(self, kind: str, subject: str = "", **params: Any) -> str:
        job_id = new_id()
        folder = self.folder / job_id
        folder.mkdir()
        job = Job(id=job_id, kind=kind, owner=OWNER, params=params | {"folder": str(folder)})
        self.jobs.submit(job, subject or f"test/{job_id}")
        return job_id

    def look(self, job_id: str) -> JobView:
        return self.jobs.records.get(job_id, OWNER)

    def end(self, job_id: str) -> JobView:
        """The job, once it has ended and its worker has let go of it."""
        eventually(lambda: self.look(job_id).finished_ms)
        return self.look(job_id)

    def run(self, kind: str, **params: Any) -> JobView:
        return self.end(self.submit(kind, **params))

    def notes(self, job_id: str) -> list[str]:
        path = self.folder / job_id / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def noted(self, job_id: str, line: str, times: int = 1) -> None:
        eventually(lambda: self.notes(job_id).count(line) >= times)

    def let_go_on(self, job_id: str) -> None:
        (self.folder / job_id / "go").touch()

    def events(self, job_id: str) -> list[Event]:
        return self.jobs.records.events(0, job_id=job_id)

    def workers(self) -> list[str]:
        with self.jobs.records.database.session() as session:
            return list(session.scalars(select(LeaseRow.holder)))

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture(scope="module", params=["sqlite and a folder", "postgres and s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One worker for the module; a test that kills it starts the next."""
    folder = tmp_path_factory.mktemp("jobs")
    shared = {}
    if request.param == "postgres and s3":
        request.getfixturevalue("s3")
        bucket = f"s3://bucket-{uuid.uuid4().hex}/some/prefix"
        shared = {"database_url": request.getfixturevalue("new_postgres")(), "artifacts_url": bucket}
    settings = Settings(var=folder / "var", **shared)
    Artifacts(settings).check()
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    place = Place(settings, folder, Jobs(settings, database))
    place.start_worker()
    yield place
    for process in place.processes:
        process.communicate(timeout=20)  # its standard input ends
    place.jobs._client.destroy()
    database.engine.dispose()
    assert [process.returncode for process in place.processes] == [0] * len(place.processes), place.log()


def states(events: list[Event]) -> list[str]:
    return [event.data["state"] for event in events if event.kind == "state"]


def test_a_job_runs_to_its_end(place: Place) -> None:
    view = place.run("plain")
    assert (view.state, view.progress, view.error) == ("completed", 1.0, "")
    assert view.result == {"said": ["first", "second"]}
    assert view.created_ms <= (view.started_ms or 0) <= (view.finished_ms or 0)
    events = place.events(view.id)
    assert states(events) == ["queued", "running", "completed"]
    assert events[-1].data["result"] == view.result
    told = [(event.data["progress"], event.data["message"]) for event in events if event.kind == "progress"]
    assert told[0] == (0.5, "half") and told[-1] == (1.0, "done")
    assert events[-1].job.kind == "plain" and events[-1].owner == OWNER
    assert place.notes(view.id) == ["first", "second"]


FAILURES: dict[str, tuple[str, dict[str, Any], str, int]] = {  # kind, parameters; what is told, how often it is tried
    "in a step": ("refused", {}, "这个不行。", 1),
    "outside a step": ("refused_outside", {}, "这个不行。", 0),
    "every time": ("busy", {"failures": 99}, "稍后再试。", 3),
    "unexpected in a step": ("broken", {}, "内部错误", 1),
    "unexpected outside": ("broken_outside", {}, "内部错误", 0),
    "unknown kind": ("unheard_of", {}, "Nothing here runs 'unheard_of' jobs.", 0),
    "in a part": ("parts", {"items": [{"number": 1}, {"number": 2, "does": "refuse"}]}, "这一页不行。", 0),
    "retryable in a part": ("parts", {"items": [{"number": 1, "does": "be busy"}]}, "稍后再试。", 0),
    "unexpected in a part": ("parts", {"items": [{"number": 1, "does": "break"}]}, "内部错误", 0),
    "no parts": ("no_parts", {"items": [{"number": 1}]}, "A no_parts job has no parts.", 0),
}


@pytest.fixture(scope="module")
def failures(place: Place) -> dict[str, str]:
    """The jobs, side by side; one more does not fail in the end."""
    started = {name: place.submit(kind, **params) for name, (kind, params, _, _) in FAILURES.items()}
    return started | {"not every time": place.submit("busy", failures=2)}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_in_its_own_words(place: Place, failures: dict[str, str], name: str) -> None:
    _, _, error, tried = FAILURES[name]
    view = place.end(failures[name])
    assert (view.state, view.error, view.result) == ("failed", error, {})
    assert place.notes(view.id).count("tried") == tried
    told = place.events(view.id)
    assert states(told) == ["queued", "running", "failed"]
    assert told[-1].data == {"state": "failed", "error": error}


def test_what_broke_is_in_the_log_and_nowhere_else(place: Place, failures: dict[str, str]) -> None:
    place.end(failures["unexpected in a step"])
    assert "ValueError: the secret in /etc/passwd" in place.log()
    with place.jobs.records.database.session() as session:
        kept = " ".join(map(str, session.execute(text("SELECT error, message, result FROM jobs"))))
        kept += " ".join(map(str, session.execute(text("SELECT data FROM events"))))
    assert "secret" not in kept and "Traceback" not in kept and "DBOS" not in kept


def test_what_is_worth_a_retry_is_tried_again(place: Place, failures: dict[str, str]) -> None:
    view = place.end(failures["not every time"])
    assert (view.state, view.result) == ("completed", {"said": "at last"})
    assert place.notes(view.id) == ["tried"] * 3


def test_results_of_parts_are_in_the_order_of_the_items(place: Place) -> None:
    items = [{"number": number, "turns": turns} for number, turns in enumerate([20, 0, 10, 1, 5], 1)]
    view = place.run("parts", items=items)
    assert view.result == {"parts": [{"number": item["number"], "asked": item} for item in items]}
    ended = [line for line in place.notes(view.id) if not line.endswith("begins")]
    assert len(ended) == 5 and ended[0] != "part 1"  # side by side: the longest is begun first and overtaken
    assert [event.data["progress"] for event in place.events(view.id) if event.kind == "progress"][-1] == 1.0
    assert place.run("parts", items=[]).result == {"parts": []}


def test_parts_may_run_more_than_once(place: Place) -> None:
    rounds = [[{"number": number}] for number in (1, 2)]
    told = place.run("twice", rounds=rounds).result["rounds"]
    assert [[part["number"] for part in parts] for parts in told] == [[1], [2]]


def test_a_part_that_fails_stops_the_others(place: Place) -> None:
    items = [{"number": 1, "does": "refuse", "turns": 30}, {"number": 2, "does": "wait"}]
    job_id = place.submit("parts", items=items)
    place.noted(job_id, "part 2 waits")
    assert place.end(job_id).error == "这一页不行。"
    place.noted(job_id, "part 2 stopped")
    place.let_go_on(job_id)
    assert "part 2" not in place.notes(job_id)


def test_cancel_stops_what_runs(place: Place) -> None:
    job_id = place.submit("long")
    place.noted(job_id, "long waits")
    with pytest.raises(NotFound):
        place.jobs.cancel(job_id, "user-2")
    assert place.jobs.cancel(job_id, OWNER)
    assert place.look(job_id).state == "cancelled"
    assert eventually(lambda: "long stopped" in place.notes(job_id)) < 1
    view = place.end(job_id)
    assert (view.state, view.error, view.result) == ("cancelled", "已取消", {})
    assert states(place.events(job_id)) == ["queued", "running", "cancelled"]
    assert not place.jobs.cancel(job_id, OWNER)
    place.let_go_on(job_id)
    assert place.run("plain").state == "completed"  # a little later
    assert place.notes(job_id) == ["long waits", "long stopped"]
    assert place.look(job_id) == view


def test_cancel_stops_every_part(place: Place) -> None:
    job_id = place.submit("parts", items=[{"number": number, "does": "wait"} for number in range(1, 4)])
    for number in range(1, 4):
        place.noted(job_id, f"part {number} waits")
    place.jobs.cancel(job_id, OWNER)
    stopped = {f"part {number} stopped" for number in range(1, 4)}
    assert eventually(lambda: stopped <= set(place.notes(job_id))) < 1
    assert place.end(job_id).state == "cancelled"
    assert job_id not in place.log()  # nothing unusual has happened


def test_a_job_that_is_cancelled_in_the_queue_never_runs(place: Place) -> None:
    blocking = [place.submit("long") for _ in range(16)]  # as many as a worker takes
    for job_id in blocking:
        place.noted(job_id, "long waits")
    queued = place.submit("plain")
    assert place.jobs.cancel(queued, OWNER)
    view = place.look(queued)
    assert (view.state, view.started_ms) == ("cancelled", None) and view.finished_ms is not None
    for job_id in blocking:
        place.let_go_on(job_id)
    assert [place.end(job_id).state for job_id in blocking] == ["completed"] * 16
    assert place.run("plain").state == "completed"
    assert place.notes(queued) == []
    assert states(place.events(queued)) == ["queued", "cancelled"]


def test_trainings_that_wait_for_a_machine_hold_up_nothing_else(place: Place) -> None:
    trainings = [place.submit(LORA) for _ in range(20)]
    for job_id in trainings[:8]:
        place.noted(job_id, "long waits")
    assert place.run("plain").state == "completed"
    assert [place.look(job_id).state for job_id in trainings] == ["running"] * 8 + ["queued"] * 12
    for job_id in trainings:
        place.let_go_on(job_id)
    assert [place.end(job_id).state for job_id in trainings] == ["completed"] * 20


def test_what_is_forgotten_is_gone(place: Place) -> None:
    done, running = place.submit("plain", "story/1"), place.submit("long", "story/1")
    beside = place.submit("plain", "story/12")
    for job_id in (done, beside):
        place.end(job_id)
    place.noted(running, "long waits")
    place.jobs.forget("story/1")
    assert "long stopped" in place.notes(running)  # it waits until the worker has let go
    for job_id in (done, running):
        with pytest.raises(NotFound):
            place.look(job_id)
        assert place.events(job_id) == []
        assert remembered(place, job_id) == 0
    assert place.look(beside).state == "completed" and remembered(place, beside) > 0
    place.jobs.forget("story/1")


def remembered(place: Place, job_id: str) -> int:
    """How many steps the engine has written down for a job."""
    return len(place.jobs._client.list_workflow_steps(job_id))


def test_what_was_done_is_not_done_again_after_a_crash(place: Place) -> None:
    failing = [place.submit("failing", failures=failures) for failures in (0, 99)]
    steps = place.submit("numbered")
    items: list[dict[str, Any]] = [
        {"number": 1, "turns": 3},
        {"number": 2, "does": "wait"},
        {"number": 3},
        {"number": 4, "does": "wait"},
    ]
    parts = place.submit("parts", items=items)
    place.noted(steps, "step 4 waits")
    for line in ("part 1", "part 3", "part 2 waits", "part 4 waits"):
        place.noted(parts, line)
    for job_id in failing:
        place.noted(job_id, "failing waits")
    queued = [place.submit("long") for _ in range(13)]  # one more than can run
    place.kill()
    for job_id in (steps, parts, *failing, *queued):
        place.let_go_on(job_id)
    place.start_worker()
    view = place.end(steps)
    assert (view.state, view.result) == ("completed", {"said": [f"step {number}" for number in range(1, 7)]})
    counts = {line: place.notes(steps).count(line) for line in place.notes(steps)}
    assert counts == {f"step {number}": 1 for number in range(1, 7)} | {"step 4 waits": 2}
    view = place.end(parts)
    assert view.result == {"parts": [{"number": item["number"], "asked": item} for item in items]}
    counts = {line: place.notes(parts).count(line) for line in place.notes(parts)}
    once = {f"part {number}": 1 for number in range(1, 5)} | {f"part {number} begins": 1 for number in range(1, 5)}
    assert counts == once | {"part 2 waits": 2, "part 4 waits": 2}
    assert {place.end(job_id).state for job_id in queued} == {"completed"}
    assert [place.end(job_id).error for job_id in failing] == ["内部错误", "稍后再试。"]
    assert [place.notes(job_id).count("tried") for job_id in failing] == [1, 3]
    for job_id in (steps, parts):
        assert states(place.events(job_id)) == ["queued", "running", "completed"]


def test_a_worker_that_stalls_past_its_lease_cannot_publish(place: Place) -> None:
    """It is stopped, not killed: when it wakes up, another one has its work."""
    job, files = place.submit("publish"), Artifacts(place.settings)
    place.noted(job, "publish waits")
    stalled = place.processes.pop(0)
    stalled.send_signal(signal.SIGSTOP)
    other = place.start_worker()
    place.noted(job, "publish waits", times=2)
    (place.folder / job / f"go-{stalled.pid}").touch()
    stalled.send_signal(signal.SIGCONT)
    assert stalled.wait(20) == 1
    stalled.communicate()
    assert "the worker's lease is lost" in place.log()
    with pytest.raises(NotFound):
        files.read(f"published/{job}.json")
    assert place.look(job).state == "running"
    place.let_go_on(job)
    assert place.end(job).state == "completed"
    assert json.loads(files.read(f"published/{job}.json"))["pid"] == other.pid
    files._database.engine.dispose()


def test_work_is_done_by_the_workers_that_are_left(place: Place) -> None:
    """Two live; nobody starts a third."""
    place.start_worker()
    eventually(lambda: len(place.workers()) == 2)
    jobs = [place.submit("numbered") for _ in range(4)]
    for job in jobs:
        place.noted(job, "step 4 waits")
    place.processes[0].send_signal(signal.SIGKILL)
    place.processes.pop(0).communicate()
    for job in jobs:
        place.let_go_on(job)
    for job in jobs:
        assert place.end(job).state == "completed"
        assert [place.notes(job).count(f"step {number}") for number in range(1, 7)] == [1] * 6
    eventually(lambda: len(place.workers()) == 1)  # it may have had no work: then its lease ends later


def test_what_is_cancelled_while_no_worker_runs_stays_so(place: Place) -> None:
    job_id = place.submit("long")
    place.noted(job_id, "long waits")
    place.kill()
    assert place.jobs.cancel(job_id, OWNER)
    place.let_go_on(job_id)
    place.start_worker()
    assert place.end(job_id).state == "cancelled"
    assert place.run("plain").state == "completed"
    assert place.notes(job_id) == ["long waits"]


def test_a_job_whose_writer_died_before_it_was_enqueued_is_done(place: Place) -> None:
    job_id = new_id()
    folder = place.folder / job_id
    folder.mkdir()
    job = Job(id=job_id, kind="plain", owner=OWNER, params={"folder": str(folder)})
    place.jobs.records.create(job, "test/orphan")  # and the crash comes here
    assert place.end(job_id).state == "completed"


def test_a_job_whose_workflow_ended_without_a_word_is_failed(place: Place) -> None:
    """As when the database was away just as the job's end was to be written down."""
    job_id = place.run("plain").id
    with place.jobs.records.database.session() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(state="running", finished_ms=None))
    view = place.end(job_id)
    assert (view.state, view.error) == ("failed", "内部错误")


def test_a_cancelled_job_without_a_workflow_ends(place: Place) -> None:
    """As in a database that was copied without the engine's."""
    job = Job(id=new_id(), kind="plain", owner=OWNER, params={})
    place.jobs.records.create(job, "test/copied")
    place.jobs.records.start(job.id)
    place.jobs.records.cancel(job.id)
    assert place.look(job.id).finished_ms is None
    assert place.end(job.id).state == "cancelled"
