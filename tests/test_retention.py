"""What is kept, and for how long: in a folder and SQLite, in an object store and Postgres."""

import asyncio
import errno
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from api import state as api_state
from api.app import build
from api.models import Models
from contracts.catalog import models
from contracts.errors import NotFound, Unauthenticated, Unavailable
from contracts.jobs import Job
from contracts.platform import LORA, MANIFEST, ClipTask
from contracts.settings import Settings
from contracts.tasks import folder_of, scratch_of
from jobs import engine, retention
from jobs.holdings import Holding, look, oldest_over
from jobs.jobs import Jobs, new_id
from jobs.retention import DAY_MS, HOUR_MS, Retention
from store.accounts import Accounts
from store.artifacts import Artifacts
from store.conversations import Conversations
from store.database import Database, now_ms
from store.disk import GIB, Removed
from store.runs import RAY_TRAIN, Run, run_ids
from store.stories import CLOSED, Stories, claim, subject_of
from store.tables import EventRow, JobRow, RefreshToken, Story, Table, User
from store.voices import Voices
from tests.media import speech
from tests.test_jobs import Place
from tests.waiting import eventually, soon

pytest_plugins = ["tests.places"]
OLD, YOUNG = 10 * DAY_MS, DAY_MS  # of 5 days that are kept


@dataclass
class Kept:
    """Databases and files, and work that ended some time ago, without anybody who did it."""

    settings: Settings
    jobs: Jobs
    files: Artifacts
    user: int = 0

    @property
    def database(self) -> Database:
        return self.jobs.records.database

    def collect(self, dry_run: bool = False, at_ms: int | None = None, **changed: Any) -> dict[str, int]:
        """How many of each kind."""
        return {each.what: each.count for each in self.report(dry_run, at_ms, **changed) if each.count}

    def report(self, dry_run: bool = False, at_ms: int | None = None, **changed: Any) -> list[Removed]:
        return self.retention(**changed).collect(dry_run, at_ms)

    def retention(self, **changed: Any) -> Retention:
        return Retention(self.settings.model_copy(update=changed), self.jobs, self.files)

    def task(self, ago_ms: int) -> int:
        task_id = Stories(self.database).create(self.user, "story", "狐狸", "", "")
        self._change(update(Story).where(Story.id == task_id).values(created_ms=now_ms() - ago_ms))
        return task_id

    def told(self, ago_ms: int, size: int = 100, state: str = "completed", **params: Any) -> int:
        """A task with one job, which kept a file and a scratch file."""
        task_id = self.task(ago_ms)
        story, job_id = Stories(self.database).get(task_id, self.user), new_id()
        keys = [f"{folder_of(task_id)}/story.json", f"{scratch_of(task_id, job_id)}/p1.json"]
        self.work(subject_of(task_id), ago_ms, keys, size, state, job_id=job_id, story=story, **params)
        return task_id

    def work(
        self,
        subject: str,
        ago_ms: int,
        keys: list[str],
        size: int = 100,
        state: str = "completed",
        *,
        job_id: str = "",
        story: Story | None = None,
        kind: str = "k",
        **params: Any,
    ) -> str:
        job = Job(id=job_id or new_id(), kind=kind, owner=f"user-{self.user}", params=params)
        self.jobs.submit(job, subject, story and (lambda session: claim(session, story, job.id)))
        self.jobs.records.start(job.id)
        for key in keys:
            self.files.put(key, b'{"words": "%s"}' % (b"x" * size), job.made())
        match state:
            case "completed":
                self.jobs.records.complete(job.id, {})
            case "failed":
                self.jobs.records.fail(job.id, "no")
            case _:
                return job.id
        self.jobs._client.cancel_workflow(job.id)  # it ends, as far as the engine is concerned
        self._change(update(JobRow).where(JobRow.id == job.id).values(finished_ms=now_ms() - ago_ms))
        return job.id

    def has(self, task_id: int) -> bool:
        """All of it, or nothing."""
        subject, folder = subject_of(task_id), f"{folder_of(task_id)}/"
        with self.database.session() as session:
            row = session.get(Story, task_id) is not None
        files = [name for name in self.names() if name.startswith(folder)]
        jobs = self.jobs.records.of_subject(subject)
        assert bool(files) == bool(jobs) == row
        return row

    def names(self) -> list[str]:
        filesystem, root = self.files._place
        root = filesystem._strip_protocol(root)
        return sorted(name.removeprefix(root).lstrip("/") for name in filesystem.find(root))

    def workflows(self) -> set[str]:
        found = self.jobs._client.list_workflows(load_input=False, load_output=False)
        return {workflow.workflow_id for workflow in found}

    def everything(self) -> tuple[object, ...]:
        """All that is kept, to be compared."""
        with self.database.session() as session:
            rows = [session.execute(select(table)).all() for table in Table.metadata.sorted_tables]
        return rows, self.names(), self.workflows()

    def clear(self) -> None:
        with self.database.session() as session:
            for table in reversed(Table.metadata.sorted_tables):
                session.execute(delete(table))
            session.add(User(name="somebody", password_hash="", created_ms=0))
        with self.database.session() as session:
            self.user = session.scalars(select(User.id)).one()
        self.jobs.forget_steps(self.workflows())
        self.files.check()
        for name in {name.partition("/")[0] for name in self.names()}:
            self.files.delete(name)

    def _change(self, statement: Any) -> None:
        with self.database.session() as session:
            session.execute(statement)


@pytest.fixture(scope="module", params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    settings = Settings(var=tmp_path_factory.mktemp("var"))
    if request.param == "s3":
        request.getfixturevalue("s3")
        new: Callable[[], str] = request.getfixturevalue("new_postgres")
        url = f"s3://bucket-{uuid.uuid4().hex}/some/prefix"
        settings = settings.model_copy(update={"database_url": new(), "artifacts_url": url})
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    place = Kept(settings, Jobs(settings, database), Artifacts(settings))
    yield place
    place.jobs._client.destroy()
    place.files._database.engine.dispose()
    database.engine.dispose()


@pytest.fixture
def kept(place: Kept) -> Kept:
    """Nothing yet."""
    place.clear()
    return place


def test_nothing_goes_unless_it_is_said(kept: Kept) -> None:
    tasks = [kept.told(1000 * DAY_MS), kept.told(YOUNG)]
    kept.collect()
    assert [kept.has(task) for task in tasks] == [True, True]


def test_old_work_goes_with_everything(kept: Kept) -> None:
    old, young, unused = kept.told(OLD), kept.told(YOUNG), kept.task(OLD)
    (job,) = kept.jobs.records.of_subject(subject_of(old))
    assert kept.collect(keep_days=5) == {"work that ended 5 days ago": 2}
    assert [kept.has(task) for task in (old, young)] == [False, True]
    with pytest.raises(NotFound):
        Stories(kept.database).get(unused, kept.user)
    assert kept.jobs.records.events(0, job_id=job.id) == [] and job.id not in kept.workflows()
    with pytest.raises(NotFound):
        kept.files.find(f"{folder_of(old)}/story.json")


def test_its_newest_job_says_how_old_a_task_is(kept: Kept) -> None:
    task = kept.told(OLD)
    story = Stories(kept.database).get(task, kept.user)
    kept.work(subject_of(task), YOUNG, [], story=story)
    assert kept.collect(keep_days=5) == {} and kept.has(task)


def test_what_runs_stays(kept: Kept) -> None:
    running = kept.told(OLD, state="running")
    lender = kept.told(OLD)
    borrower = kept.told(OLD, state="running", picture=f"{folder_of(lender)}/story.json")
    assert kept.collect(keep_days=1, keep_gib=1 / GIB) == {}
    assert [kept.has(task) for task in (running, lender, borrower)] == [True] * 3


def test_a_task_that_goes_on_meanwhile_stays(kept: Kept) -> None:
    task = kept.told(OLD)
    (seen,) = [each for each in look(kept.database)[0] if each.task]
    story = Stories(kept.database).get(task, kept.user)
    kept.work(subject_of(task), 0, [], state="running", story=story)
    assert not kept.retention()._is_removed(seen) and kept.has(task)


def test_a_task_whose_removal_has_begun_cannot_go_on(kept: Kept) -> None:
    task, stories = kept.told(OLD), Stories(kept.database)
    story = stories.get(task, kept.user)
    assert stories.close_idle(task, story.job_id) and not stories.close_idle(task, story.job_id)
    with pytest.raises(NotFound):
        kept.work(subject_of(task), 0, [], story=stories.get(task, kept.user))


def test_a_removal_that_broke_off_is_ended(kept: Kept) -> None:
    task, running = kept.told(0), kept.told(0)
    Stories(kept.database).close(task)
    assert kept.collect() == {"work whose removal broke off": 1}
    assert [kept.has(each) for each in (task, running)] == [False, True]


def test_other_work_goes_by_its_jobs(kept: Kept) -> None:
    """Without a task that owns a folder; what another job has put in the place of a file stays."""
    old = kept.work("drawing/1", OLD, ["outputs/1/a.json", "outputs/1/b.json"])
    young = kept.work("drawing/2", YOUNG, ["outputs/1/b.json"])
    kept.files.upload("outputs/1/given.json", b"{}", "user-1")
    assert kept.collect(keep_days=5) == {"work that ended 5 days ago": 1}
    assert kept.names() == ["outputs/1/b.json", "outputs/1/given.json"]
    assert kept.files.find("outputs/1/b.json").size_bytes and kept.workflows() == {young}
    assert not kept.jobs.records.of_subject("drawing/1") and old not in kept.workflows()


def test_the_size_limit_takes_the_oldest_first_and_no_more_than_it_must(kept: Kept) -> None:
    tasks = [kept.told(ago * DAY_MS, size=10_000) for ago in (2, 4, 3, 1)]
    fresh = kept.told(HOUR_MS // 2, size=10_000)
    empty = kept.task(OLD)  # there is nothing to win
    three = 7 * 10_000 / GIB  # of the five, each with two files
    assert kept.collect(keep_gib=three) == {"work beyond the size limit": 2}
    assert [kept.has(task) for task in tasks] == [True, False, False, True]
    assert Stories(kept.database).get(empty, kept.user)
    kept.collect(keep_gib=1 / GIB)
    assert [kept.has(task) for task in (*tasks, fresh)] == [False] * 4 + [True]  # it may be about to go on


def test_age_comes_before_size(kept: Kept) -> None:
    old, young = kept.told(OLD, size=10_000), kept.told(YOUNG, size=10_000)
    assert kept.collect(keep_days=5, keep_gib=25_000 / GIB) == {"work that ended 5 days ago": 1}
    assert not kept.has(old) and kept.has(young)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))), st.integers(0, 40), st.integers(0, 40))
def test_whoever_goes_is_older_than_who_stays(given_: list[tuple[int, int]], used: int, limit: int) -> None:
    idle = [Holding(str(n), ended, size) for n, (ended, size) in enumerate(sorted(given_))]
    total = used + sum(each.size_bytes for each in idle)
    gone = oldest_over(idle, total, limit)
    left = total - sum(each.size_bytes for each in gone)
    assert gone == [each for each in idle if each.size_bytes][: len(gone)]
    assert left <= limit or left == used  # it fits, or nothing else may go
    assert not gone or left + gone[-1].size_bytes > limit  # and one less would not have been enough


def test_scratch_of_what_failed_goes_after_a_day(kept: Kept) -> None:
    failed, fresh = kept.told(2 * DAY_MS, state="failed"), kept.told(HOUR_MS, state="failed")
    done, running = kept.told(2 * DAY_MS), kept.told(2 * DAY_MS, state="running")
    assert kept.collect()["scratch of failed jobs"] == 1
    scratch = {int(name.split("/")[1]) for name in kept.names() if "/.work/" in name}
    assert scratch == {fresh, done, running} and kept.has(failed)


def test_pictures_and_films_go_with_their_jobs(kept: Kept) -> None:
    jobs = {state: new_id() for state in ("completed", "failed", "running")}
    for state, job_id in jobs.items():
        keys = [f"outputs/images/{job_id}.json", ClipTask(model="film", prompt="").scratch(job_id) + "/shot1.json"]
        kept.work(f"media/{job_id}", 2 * DAY_MS, keys, state=state, job_id=job_id)
    assert kept.collect() == {"scratch of failed jobs": 1}
    assert {name for name in kept.names() if "/.work/" in name} == {
        f"outputs/.work/{jobs[state]}/shot1.json" for state in ("completed", "running")
    }
    kept.collect(keep_days=1)
    assert {jobs["running"] in name for name in kept.names()} == {True} and len(kept.names()) == 2


def test_a_folder_that_cannot_be_removed_holds_up_nothing(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, other = kept.told(2 * DAY_MS, state="failed"), kept.told(2 * DAY_MS, state="failed")
    kept._change(update(EventRow).values(created_ms=now_ms() - 40 * DAY_MS))
    filesystem, _ = kept.files._place
    rm = filesystem.rm

    def busy(path: str, **options: Any) -> None:
        if f"/{stuck}/" in path:
            raise OSError(errno.EBUSY, "Device or resource busy")
        rm(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "rm", busy)
        assert kept.collect(events_days=30) == {"scratch of failed jobs": 1, "events": 6}
    assert {int(name.split("/")[1]) for name in kept.names() if "/.work/" in name} == {stuck}
    assert kept.collect() == {"scratch of failed jobs": 1} and kept.has(stuck) and kept.has(other)


def test_what_was_given_for_a_job_goes_once_none_needs_it(kept: Kept) -> None:
    for name in ("used", "held", "done", "lost"):
        kept.files.upload(f"uploads/a/{name}.wav", b"RIFF", "user-1")
    kept.files.upload("static/uploads/voice.wav", b"RIFF", "user-1")
    kept.work("speech/1", 0, [], state="running", recordings=["uploads/a/used.wav"])
    held = kept.work("speech/2", 0, [], state="running", sample="uploads/a/held.wav")
    kept.work("speech/3", 0, [], sample="uploads/a/done.wav")
    kept.jobs.records.cancel(held)  # its worker has yet to let go
    later = now_ms() + 2 * HOUR_MS
    assert kept.collect() == {} and kept.collect(at_ms=later) == {"uploads that no job needs": 2}
    assert kept.names() == ["static/uploads/voice.wav", "uploads/a/held.wav", "uploads/a/used.wav"]
    kept.jobs.records.let_go(held)
    assert kept.collect(at_ms=later) == {"uploads that no job needs": 1}


@pytest.mark.parametrize("begun", [False, True])
async def test_a_cancelled_speech_keeps_no_voice(kept: Kept, begun: bool) -> None:
    known = models()
    state = api_state.make(kept.settings, Models([known["matching"]], known, False), {})
    transport = httpx.ASGITransport(build(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe", timeout=60) as client:
        given = {"data": {"text": "你好"}, "files": {"voiceSample": ("a.wav", speech())}}
        said = await client.post("/api/tts/generate-cloned", headers={"Prefer": "respond-async"}, **given)
        job = said.json()["data"]["task_id"]
        if begun:
            kept.jobs.records.start(job)
        assert kept.collect(at_ms=now_ms() + 2 * HOUR_MS) == {}
        assert (await client.delete(f"/v1/jobs/{job}")).json()["state"] == "cancelled"
        if begun:
            kept.jobs.records.let_go(job)
    assert [name.partition("/")[0] for name in kept.names()] == ["uploads"]
    assert kept.collect(at_ms=now_ms() + 2 * HOUR_MS) == {"uploads that no job needs": 1}
    assert kept.names() == []
    for database in (state.database, state.artifacts._database):
        database.engine.dispose()
    state.jobs._client.destroy()


def test_half_written_files_go_after_a_day(kept: Kept) -> None:
    if kept.settings.artifacts_url:
        pytest.skip("they lie beside a folder only")
    folder = kept.settings.var / "artifacts" / ".scratch"
    for name, ago_s in (("old", 100_000), ("touched", 100_000), ("new", 0)):
        (folder / name).mkdir(parents=True)
        (folder / name / "film.mp4").write_bytes(b"x" * 10)
        for path in (folder / name / "film.mp4", folder / name):
            os.utime(path, (now_ms() / 1000 - ago_s,) * 2)
    os.utime(folder / "touched" / "film.mp4")
    (removed,) = [each for each in kept.report() if each.what == "half-written files"]
    assert removed.count == 1 and removed.size_bytes >= 10
    assert {path.name for path in folder.iterdir()} == {"touched", "new"}


def test_old_events_of_ended_jobs_go(kept: Kept) -> None:
    done, running = kept.told(40 * DAY_MS), kept.told(40 * DAY_MS, state="running")
    (ended,), (going,) = (kept.jobs.records.of_subject(subject_of(task)) for task in (done, running))
    kept._change(update(EventRow).values(created_ms=now_ms() - 40 * DAY_MS))
    young = kept.told(0)
    assert kept.collect(events_days=0) == {} and kept.collect(events_days=30) == {"events": 3}
    assert kept.jobs.records.events(0, job_id=ended.id) == []
    assert len(kept.jobs.records.events(0, job_id=going.id)) == 2
    assert kept.has(done) and kept.has(young)


def test_a_spent_token_stays_until_it_expires(kept: Kept) -> None:
    accounts = Accounts(kept.database, refresh_days=30)
    token = accounts.open_session(kept.user)
    _, following = accounts.rotate(token)
    assert kept.collect(at_ms=now_ms() + 29 * DAY_MS) == {}
    with pytest.raises(Unauthenticated):
        accounts.rotate(token)  # somebody has stolen it
    with pytest.raises(Unauthenticated):
        accounts.rotate(following)
    accounts.open_session(kept.user)
    assert kept.collect(at_ms=now_ms() + 31 * DAY_MS) == {"expired refresh tokens": 1}
    with kept.database.session() as session:
        assert session.scalars(select(RefreshToken)).all() == []


def test_the_engine_forgets_what_ended_a_day_ago(kept: Kept) -> None:
    done, running = kept.told(0), kept.told(0, state="running")
    (going,) = kept.jobs.records.of_subject(subject_of(running))
    assert kept.collect() == {}
    assert kept.collect(at_ms=now_ms() + 2 * DAY_MS) == {"engine's records of jobs": 1}
    assert kept.workflows() == {going.id} and kept.has(done)


def test_the_engine_remembers_what_has_no_end_yet(kept: Kept) -> None:
    """Else the sweep would take it for never begun, and run it again."""
    task = kept.told(0, state="running")
    (job,) = kept.jobs.records.of_subject(subject_of(task))
    kept.jobs._client.cancel_workflow(job.id)
    assert kept.collect(at_ms=now_ms() + 2 * DAY_MS) == {} and kept.workflows() == {job.id}


def test_a_cancelled_job_whose_worker_never_let_go_ends_too(kept: Kept) -> None:
    task = kept.told(0, state="running")
    (job,) = kept.jobs.records.of_subject(subject_of(task))
    kept.jobs.records.cancel(job.id)
    kept.jobs._client.cancel_workflow(job.id)
    kept.collect(at_ms=now_ms() + 2 * DAY_MS)
    assert kept.jobs.records.of_subject(subject_of(task))[0].finished_ms
    assert kept.collect(at_ms=now_ms() + 2 * DAY_MS, keep_days=1) == {"work that ended 1 days ago": 1}


def test_parts_go_with_their_job(kept: Kept, tmp_path: Path) -> None:
    """A worker runs meanwhile, and what it does is left alone."""
    work = Place(kept.settings, tmp_path, kept.jobs)
    work.start_worker()
    done, long = work.submit("parts", items=[{"number": 1}, {"number": 2}]), work.submit("long")
    work.end(done)
    work.noted(long, "long waits")
    eventually(lambda: len(kept.workflows()) == 4)
    assert kept.collect(at_ms=now_ms() + 2 * DAY_MS, keep_days=1) == {"work that ended 1 days ago": 1}
    assert kept.workflows() == {long}
    work.let_go_on(long)
    assert work.end(long).state == "completed"
    (process,) = work.processes
    process.communicate(timeout=20)
    assert process.returncode == 0, work.log()


def plenty(kept: Kept) -> None:
    for ago_ms in (OLD, OLD, 3 * DAY_MS, 2 * DAY_MS, 0):
        kept.told(ago_ms, size=5_000)
    for state in ("failed", "running"):
        kept.told(2 * DAY_MS, state=state)
    kept.work("drawing/1", OLD, ["outputs/1/a.json"])
    kept.work("drawing/2", YOUNG, ["outputs/2/a.json"])
    Stories(kept.database).close(kept.told(0))
    Accounts(kept.database, 1).open_session(kept.user)
    Conversations(kept.database).keep("talk", "user-1", [])
    kept.files.upload("uploads/somebody/sample.wav", b"RIFF", "user-1")
    Run(kept.settings, new_id()).write("turn", b"1")


ALL = {"keep_days": 9, "keep_gib": 15_000 / GIB, "events_days": 1}


def test_the_samples_of_voices_stay_and_what_became_no_voice_goes(kept: Kept) -> None:
    for name in ("before", "now", "cancelled"):
        kept.files.upload(f"uploads/a/{name}.wav", b"RIFF", "user-1")
    for name in ("before", "now"):
        Voices(kept.database).keep("user-1", "小美", f"uploads/a/{name}.wav", "")
    cancelled = kept.work("human/1", 0, [], state="running", sample="uploads/a/cancelled.wav")
    kept.jobs.records.cancel(cancelled)
    kept.jobs.records.let_go(cancelled)
    speaks = kept.work("human/2", 0, [], state="running", sample="uploads/a/before.wav")
    later = now_ms() + 2 * HOUR_MS
    kept.collect(at_ms=later)
    assert "uploads/a/before.wav" in kept.names()  # it speaks with it
    kept.jobs.records.complete(speaks, {})
    kept.collect(at_ms=later)
    assert kept.names() == ["uploads/a/now.wav"]


def test_what_trainings_go_on_from_is_kept_until_they_have_ended(kept: Kept) -> None:
    runs = [kept.work(f"training/{state}", 0, [], state=state) for state in ("running", "completed", "failed")]
    notes = kept.settings.var / RAY_TRAIN
    for job_id in [*runs, new_id()]:  # the last one's job is gone
        Run(kept.settings, job_id).write("checkpoint-000000001.pt", b"x")
        (notes / f"{job_id}-1").mkdir(parents=True)
    assert kept.collect() == {"runs of ended trainings": 1}
    assert kept.collect(at_ms=now_ms() + 2 * HOUR_MS) == {"runs of ended trainings": 2}
    assert run_ids(kept.settings) == runs[:1] and [path.name for path in notes.iterdir()] == [f"{runs[0]}-1"]


def test_a_model_that_was_trained_stays_until_its_owner_removes_it(kept: Kept) -> None:
    jobs = {}
    for state in ("completed", "failed"):
        output = f"callers/x/models/{state}"
        jobs[state] = kept.work(f"training/{state}", OLD, [], state=state, kind=LORA, output=output)
        for name in ("adapter_model.safetensors", MANIFEST):
            kept.files.upload(f"{output}/{jobs[state]}/{name}", b"{}", "user-1")
    assert kept.collect(keep_days=5) == {"work that ended 5 days ago": 1}
    folder = f"callers/x/models/completed/{jobs['completed']}"
    assert kept.names() == [f"{folder}/adapter_model.safetensors", f"{folder}/{MANIFEST}"]
    kept.files.delete("callers/x/models/completed")
    assert kept.collect(keep_days=5) == {"work that ended 5 days ago": 1}


def test_a_dry_run_tells_the_same_and_changes_nothing(kept: Kept) -> None:
    plenty(kept)
    before, later = kept.everything(), now_ms() + 2 * DAY_MS
    told = kept.report(dry_run=True, at_ms=later, **ALL)
    assert kept.everything() == before
    assert kept.report(at_ms=later, **ALL) == told
    counts = [each.count for each in told]
    assert counts[:5] == [1, 3, 2, 1, 1] and all(counts[6:])
    assert kept.report(at_ms=later, **ALL) == [Removed(each.what, 0) for each in told]


def test_two_at_once_do_what_one_would(kept: Kept) -> None:
    plenty(kept)
    later = now_ms() + 2 * DAY_MS
    threads = [threading.Thread(target=kept.collect, kwargs={"at_ms": later, **ALL}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)  # an exception in a thread is a warning, and so a failure
    assert kept.collect(at_ms=later, **ALL) == {}
    with kept.database.session() as session:
        stories = session.scalars(select(Story)).all()
    assert len(stories) == 3 and CLOSED not in {story.job_id for story in stories}
    assert all(kept.has(story.id) for story in stories)


async def test_a_worker_looks_again_and_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a time when it could not."""
    monkeypatch.setattr(retention, "FIRST_S", 0)
    monkeypatch.setattr(retention, "EVERY_S", 0.05)
    calls = iter([OSError("the store is away")])

    def look_or_fail(database: Database) -> Any:
        if error := next(calls, None):
            raise error
        return look(database)

    monkeypatch.setattr(retention, "look", look_or_fail)
    task = kept.told(OLD)
    loop = asyncio.create_task(retention.retain_forever(kept.retention(keep_days=5)))
    await soon(lambda: not Stories(kept.database).ids(kept.user))
    loop.cancel()
    assert not kept.has(task)


def test_no_new_work_when_the_disk_is_nearly_full(kept: Kept) -> None:
    task = kept.told(OLD)
    low = kept.settings.model_copy(update={"min_free_gib": 1e9})
    with pytest.raises(Unavailable, match="磁盘空间不足") as refused:
        Jobs(low, kept.database).submit(Job(id=new_id(), kind="k", owner="user-1", params={}), "subject")
    assert refused.value.retry_after_s == 60
    files = Artifacts(low)
    with pytest.raises(Unavailable, match="磁盘空间不足"):
        files.upload("a.png", b"", "user-1")
    assert files.read(f"{folder_of(task)}/story.json") and not kept.jobs.records.of_subject("subject")
    assert kept.collect(keep_days=5, min_free_gib=1e9) == {"work that ended 5 days ago": 1}
    files._database.engine.dispose()


async def test_a_caller_is_told_that_the_disk_is_nearly_full(kept: Kept) -> None:
    """What makes room still works."""
    state = api_state.make(kept.settings.model_copy(update={"min_free_gib": 1e9}), Models([], {}, False), {})
    transport = httpx.ASGITransport(build(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe", timeout=60) as client:
        account = {"username": "me", "password": "secret-123"}
        await client.post("/api/register", json=account)
        token = (await client.post("/api/login", json=account)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        task = (await client.post("/api/task/new", json={"topic": "小狐狸"})).json()["task_id"]
        answer = await client.post(f"/api/task/{task}/execute/1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json() == {"detail": "磁盘空间不足，暂不接受新任务。"}
        progress = (await client.get(f"/api/task/{task}/progress")).json()
        assert progress == {"current_segment": 0, "status": "pending"}
        assert (await client.delete(f"/api/task/{task}")).json() == {"deleted": True}
    for database in (state.database, state.artifacts._database):
        database.engine.dispose()
    state.jobs._client.destroy()
