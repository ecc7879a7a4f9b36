"""A disk that is full, a folder that is not writable, a database that is locked or away: told, and done again after."""

import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select, text

from api import state as api_state
from api.app import build
from api.models import Models
from cli.environment import free_port
from contracts.artifacts import Provenance
from contracts.catalog import models
from contracts.errors import Unavailable
from contracts.faults import FULL, SHUT
from contracts.settings import ROOT, Settings
from contracts.video import FilmRequest, Shot
from deployments.video.film import Film
from jobs import engine
from jobs.jobs import Jobs
from store.artifacts import Artifacts
from store.database import Database
from store.faults import BUSY
from store.tables import ArtifactRow
from tests.disks import Disk, fill, make_room, mount
from tests.media import speech
from tests.test_jobs import Place
from tests.test_story_refusals import picture
from tests.waiting import eventually

pytest_plugins = ["tests.places"]
MADE = Provenance(owner="user-1")
LOCK_S = 5.0
AWAY_S = 3.0
USER = {"username": "somebody", "password": "a password"}


def content(words: str, size: int = 0) -> bytes:
    return b'{"words": "%s"}' % (words.encode() * max(1, size // len(words)))


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def rows(files: Artifacts) -> int:
    with files._database.session() as session:
        return session.scalar(select(func.count()).select_from(ArtifactRow)) or 0


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    disks: list[Disk] = []

    def make(size: str) -> Disk:
        disks.append(mount(tmp_path / f"disk-{len(disks)}", size))
        return disks[-1]

    yield make
    for disk in disks:
        disk.shell.communicate()


@pytest.fixture
def disk(new_disk: Callable[[str], Disk]) -> Disk:
    return new_disk("1m")


@pytest.fixture
def files(disk: Disk, tmp_path: Path) -> Iterator[Artifacts]:
    """Artifacts on the small disk, their table beside it; one is there."""
    files = Artifacts(Settings(var=tmp_path / "var", artifacts_url=f"file://{disk.folder}/artifacts", min_free_gib=0))
    files._database.migrate()
    files.put("a/old.json", content("old"), MADE)
    yield files
    files._database.engine.dispose()


@contextmanager
def full(disk: Disk) -> Iterator[str]:
    fill(disk.folder)
    yield FULL
    make_room(disk.folder)


@contextmanager
def shut(disk: Disk) -> Iterator[str]:
    disk.remount("ro")
    yield SHUT
    disk.remount("rw")


@pytest.mark.parametrize("fault", [full, shut])
def test_what_cannot_be_kept_is_told_and_leaves_nothing(
    files: Artifacts, disk: Disk, tmp_path: Path, fault: Callable[[Disk], Any], caplog: pytest.LogCaptureFixture
) -> None:
    old = files.find("a/old.json")
    (tmp_path / "given").write_bytes(content("moved"))
    writes: list[Callable[[], object]] = [
        lambda: files.put("a/old.json", content("new"), MADE),
        lambda: files.put("b/new.json", content("new"), MADE),
        lambda: files.put("b/moved.json", tmp_path / "given", MADE),
        lambda: files.deliver("a/old.json", "b/copy.json", MADE),
        lambda: files.upload("b/upload.bin", content("new"), "user-1"),
    ]
    with fault(disk) as words:
        for write in writes:
            with pytest.raises(Unavailable) as told:
                write()
            assert told.value.message == words and told.value.retry_after_s
        assert everything(disk.folder / "artifacts") == {"a/old.json"}
        assert (files.find("a/old.json"), rows(files)) == (old, 1)
        assert (tmp_path / "given").read_bytes() == content("moved")
    assert "Errno" in caplog.text
    for write in writes:
        write()
    kept = {"a/old.json", "b/new.json", "b/moved.json", "b/copy.json", "b/upload.bin"}
    assert everything(disk.folder / "artifacts") == kept


def test_what_fits_only_half_leaves_nothing(files: Artifacts, disk: Disk) -> None:
    with pytest.raises(Unavailable, match="存储空间不足"):
        files.put("b/large.json", content("x", 600_000), MADE)  # and once more with its label
    assert everything(disk.folder / "artifacts") == {"a/old.json"} and rows(files) == 1
    files.put("b/small.json", content("x", 100_000), MADE)


def test_a_file_whose_row_cannot_be_kept_gives_way_to_the_old_one(files: Artifacts, disk: Disk) -> None:
    """The database's disk is full at the very last moment: as it writes down that it is done."""
    old = files.read("a/old.json")
    with files._database.session() as session:  # a constraint that is looked at when a transaction ends
        late = "REFERENCES users DEFERRABLE INITIALLY DEFERRED"
        session.execute(text(f"CREATE TABLE last (id INTEGER PRIMARY KEY {late})"))
        session.execute(text("CREATE TRIGGER late AFTER INSERT ON artifacts BEGIN INSERT INTO last VALUES (1); END"))
    for key in ("a/old.json", "b/new.json"):
        with pytest.raises(Exception, match="FOREIGN KEY"):
            files.put(key, content("new"), MADE)
    assert everything(disk.folder / "artifacts") == {"a/old.json"} and rows(files) == 1
    assert files.read("a/old.json") == old


def test_an_object_store_that_does_not_answer_is_told(tmp_path: Path) -> None:
    script = """
from store.artifacts import Artifacts
from contracts.errors import Unavailable
for call in (lambda files: files.read("a"), lambda files: files.upload("a", b"b", "c"), Artifacts.check):
    try:
        call(Artifacts())
    except Unavailable as error:
        print(error.message)
"""
    nowhere = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "TROUPE_ARTIFACTS_URL": "s3://bucket/prefix",
        "TROUPE_VAR": str(tmp_path),
    }
    Database(Settings(var=tmp_path).tables_url).migrate()
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert said.stdout == "存储暂不可用，请稍后再试。\n" * 3, said.stderr


@pytest.mark.filterwarnings("ignore")  # Ray's own, while it is imported
def test_an_engine_that_fills_the_disk_says_so(disk: Disk, tmp_path: Path) -> None:
    """What a replica raises reaches its callers as Ray wraps it, once pickled."""
    from ray.exceptions import RayTaskError

    from deployments.remote import our_errors

    Image.new("RGB", (64, 64), "red").save(tmp_path / "p.png")
    request = FilmRequest(shots=[Shot(picture="p", duration_s=1)], narration=[], captions=[], width=320, height=240)
    fill(disk.folder)
    with pytest.raises(OSError, match="No space left") as told:
        list(Film().render(request, {"p": tmp_path / "p.png"}, disk.folder / "film.mp4"))
    with pytest.raises(Unavailable, match=FULL), our_errors():
        raise RayTaskError("render", "a traceback", pickle.loads(pickle.dumps(told.value)))
    assert everything(disk.folder) == {"ballast"}


@contextmanager
def working(settings: Settings, folder: Path) -> Iterator[Place]:
    """A worker, which is the same at the end."""
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    place = Place(settings, folder, Jobs(settings, database))
    process = place.start_worker()
    yield place
    process.communicate(timeout=20)
    place.jobs._client.destroy()
    database.engine.dispose()
    assert process.returncode == 0, place.log()


@pytest.mark.parametrize("fault", [full, shut])
def test_a_job_says_why_and_can_be_done_again(
    disk: Disk, tmp_path: Path, fault: Callable[[Disk], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"file://{disk.folder}/artifacts"
    monkeypatch.setenv("TROUPE_ARTIFACTS_URL", url)
    with working(Settings(var=tmp_path / "var", artifacts_url=url, min_free_gib=0), tmp_path) as place:
        job_id = place.submit("publish")
        place.noted(job_id, "publish waits")
        with fault(disk) as words:
            place.let_go_on(job_id)
            view = place.end(job_id)
            assert (view.state, view.error) == ("failed", words)
            assert place.notes(job_id).count("publish") == 3
            assert not (disk.folder / "artifacts" / "published").exists()
        again = place.submit("publish")
        place.let_go_on(again)
        assert place.end(again).state == "completed"
        assert everything(disk.folder / "artifacts") == {f"published/{again}.json"}


def test_a_disk_that_is_full_of_everything(new_disk: Callable[[str], Disk], tmp_path: Path) -> None:
    """The databases too: they follow no link of /proc, so who uses them runs where the disk is mounted."""
    disk, log = new_disk("24m"), tmp_path / "said"
    try:
        disk.do(f"cd '{ROOT}' && '{sys.executable}' -m tests.full_disk '{disk.mounted}' >'{log}' 2>&1 </dev/null")
    except AssertionError:
        pytest.fail(log.read_text())


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[threading.Timer]:
    """Somebody else writes for so long."""
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    release = threading.Timer(seconds, connection.rollback)
    release.start()
    yield release
    release.join()
    connection.close()


@pytest.mark.parametrize("name", ["troupe.db", "jobs.db"])
def test_a_locked_database_is_waited_for(tmp_path: Path, name: str) -> None:
    settings = Settings(var=tmp_path / "var")
    with working(settings, tmp_path) as place:
        running = [place.submit("publish"), place.submit("numbered")]
        place.noted(running[0], "publish waits")
        place.noted(running[1], "step 4 waits")
        with locked(settings.var / name, LOCK_S) as release:
            for job_id in running:
                place.let_go_on(job_id)
            queued = place.submit("plain")
            assert not release.is_alive() or name == "jobs.db"
        for job_id in (*running, queued):
            view = place.end(job_id)
            assert (view.state, view.error) == ("completed", ""), place.log()
        assert sorted(place.notes(running[1])) == sorted([*(f"step {n}" for n in range(1, 7)), "step 4 waits"])


def test_a_database_that_was_away_is_waited_for(
    postgres_server: Any, new_postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROUPE_ARTIFACTS_URL", f"file://{tmp_path}/artifacts")
    with working(Settings(var=tmp_path / "var", database_url=new_postgres()), tmp_path) as place:
        running = [place.submit("publish"), place.submit("numbered")]
        place.noted(running[0], "publish waits")
        place.noted(running[1], "step 4 waits")
        postgres_server.stop()
        for job_id in running:
            place.let_go_on(job_id)
        back = threading.Timer(AWAY_S, postgres_server.start)
        back.start()
        back.join()
        eventually(lambda: all(place.look(job_id).finished_ms for job_id in running), 60)
        for job_id in running:
            view = place.end(job_id)
            assert (view.state, view.error) == ("completed", ""), place.log()


@asynccontextmanager
async def serving(settings: Settings, *served: str) -> AsyncIterator[httpx.AsyncClient]:
    known = models()
    state = api_state.make(settings, Models([known[name] for name in served], known, False), {})
    transport = httpx.ASGITransport(build(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe", timeout=60) as client:
        yield client
    for database in (state.database, state.artifacts._database):
        database.engine.dispose()


async def test_what_was_given_for_a_job_that_is_not_queued_goes(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / "var")
    Database(settings.tables_url).migrate()
    with sqlite3.connect(settings.var / "troupe.db") as connection:
        connection.execute("CREATE TRIGGER away BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'away'); END")
    connection.close()
    async with serving(settings, "film", "matching") as client:
        await client.post("/api/register", json=USER)
        token = (await client.post("/api/login", json=USER)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        task = (await client.post("/api/videogen/new", json={"topic": "海"})).json()["task_id"]
        given = {"prompt_image_data_uri": picture()}
        assert (await client.post(f"/api/videogen/{task}/execute", json=given)).status_code == 500
        sample = {"voiceSample": ("sample.wav", speech())}
        said = await client.post("/api/tts/generate-cloned", data={"text": "你好"}, files=sample)
        assert said.status_code == 500
    files = Artifacts(settings)
    assert rows(files) == 0 and everything(settings.var / "artifacts") == set()
    files._database.engine.dispose()


async def test_a_request_waits_for_a_locked_database(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / "var")
    Database(settings.tables_url).migrate()
    async with serving(settings) as client:
        with locked(settings.var / "troupe.db", LOCK_S) as release:
            answer = await client.post("/api/register", json=USER)
            assert not release.is_alive()
        assert (answer.status_code, answer.json()["username"]) == (200, "somebody")


async def test_a_request_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_state, "WAIT_S", 1)
    settings = Settings(var=tmp_path / "var")
    Database(settings.tables_url).migrate()
    async with serving(settings) as client:
        with locked(settings.var / "troupe.db", LOCK_S) as release:
            answer = await client.post("/api/register", json=USER)
            assert release.is_alive()
        assert (answer.status_code, answer.json()) == (503, {"detail": BUSY})
        assert answer.headers["retry-after"] == "5"
        assert (await client.post("/api/register", json=USER)).status_code == 200


async def test_a_request_whose_database_is_away_is_told_to_come_again(tmp_path: Path) -> None:
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    async with serving(Settings(var=tmp_path / "var", database_url=away)) as client:
        answer = await client.post("/api/register", json=USER)
        assert (answer.status_code, answer.json()) == (503, {"detail": BUSY})


async def test_what_is_wrong_with_the_tables_is_no_excuse(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(var=tmp_path / "var")
    Database(settings.tables_url).migrate()
    with sqlite3.connect(settings.var / "troupe.db") as connection:
        connection.execute("ALTER TABLE users RENAME TO people")
    connection.close()
    async with serving(settings) as client:
        answer = await client.post("/api/register", json=USER)
    assert (answer.status_code, answer.json()) == (500, {"detail": "服务器内部错误"})
    assert "no such table" in caplog.text and USER["password"] not in caplog.text
