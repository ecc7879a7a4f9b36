"""What is put into the store is labelled, whole and found again; on a folder and on an object store."""

import hashlib
import io
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from s3fs.utils import FileExpired  # type: ignore[import-untyped, unused-ignore]
from sqlalchemy import select, text

from contracts.artifacts import Artifact, Provenance
from contracts.errors import Cancelled, InvalidInput, NotFound, Unavailable, UnsupportedMedia
from contracts.jobs import Job
from contracts.settings import Settings
from contracts.tasks import folder_of, scratch_of, uploads_of
from graphs.render import forget
from jobs.records import Records
from store import artifacts, labels
from store.artifacts import Artifacts, media_type_of
from store.database import Database
from store.tables import ArtifactRow
from store.verify import verify
from tests.labelled import SAMPLES
from tests.running import run_job

pytest_plugins = ["tests.places"]
MADE = Provenance(owner="user-1", job_id="j1", model="painter", prompt="a fox in the snow", parameters={"seed": 7})
LABELLED = {  # a name in the store, and what lies under it
    "p1.png": "png",
    "p1.jpg": "jpeg",
    "p1.webp": "webp",
    "output.mp4": "mp4",
    "output.mov": "mov",
    "p1_1.wav": "wav",
    "p1.mp3": "mp3",
    "p1.flac": "flac",
    "p1.ogg": "ogg",
    "p1.opus": "opus",
    "script_data.json": "json",
    "故事.md": "markdown",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("samples")

    def content(name: str) -> bytes:
        if not (folder / name).exists():
            SAMPLES[name].make(folder / name)
        return (folder / name).read_bytes()

    return content


def document(words: str) -> bytes:
    return f'{{"words": "{words}"}}'.encode()


def listing(files: Artifacts) -> list[str]:
    """Every file of the store, whatever it is called."""
    filesystem, root = files._place
    return sorted(str(path).removeprefix(f"{root}/") for path in filesystem.find(root))


def rows(settings: Settings) -> list[str]:
    database = Database(settings.tables_url)
    with database.session() as session:
        keys = list(session.scalars(select(ArtifactRow.key).order_by(ArtifactRow.key)))
    database.engine.dispose()
    return keys


@pytest.mark.parametrize("name", LABELLED)
def test_what_is_put_is_labelled(files: Artifacts, sample: Callable[[str], bytes], tmp_path: Path, name: str) -> None:
    key, given = f"generated_stories/1/{name}", sample(LABELLED[name])
    kept = files.put(key, given, MADE)
    content = files.read(key)
    assert (kept.key, kept.size_bytes, kept.sha256) == (key, len(content), hashlib.sha256(content).hexdigest())
    assert files.find(key) == kept
    files.fetch(key, tmp_path / "copy")
    label = labels.read(tmp_path / "copy", kept.media_type)
    assert label is not None and label.ReservedCode1 == hashlib.sha256(given).hexdigest()
    row = files.known("", label.ProduceID)
    assert row is not None and (row.sha256, row.owner, row.model) == (kept.sha256, "user-1", "painter")
    assert listing(files) == [key]


def test_subtitles_are_left_to_the_header(files: Artifacts) -> None:
    kept = files.put("generated_stories/1/output.srt", b"1\n00:00:00,000 --> 00:00:01,000\nx\n", MADE)
    assert kept.media_type == "application/x-subrip"
    assert files.read(kept.key) == b"1\n00:00:00,000 --> 00:00:01,000\nx\n"


def test_a_file_that_is_put_moves(files: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(document("x"))
    files.put("a/script.json", tmp_path / "script", MADE)
    assert not (tmp_path / "script").exists()
    assert b"AIGC" in files.read("a/script.json")


@pytest.mark.parametrize("name", ["adapter.safetensors", "all.zip", "x.gif", "x.json.gz", "noname", "x.html"])
def test_what_cannot_be_labelled_is_refused_before_anything_is_written(
    files: Artifacts, settings: Settings, tmp_path: Path, name: str
) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"PK\3\4 some bytes")
    for content in (given, given.read_bytes()):
        with pytest.raises(UnsupportedMedia):
            files.put(f"a/{name}", content, MADE)
    assert given.read_bytes() == b"PK\3\4 some bytes"
    assert (listing(files), rows(settings)) == ([], [])


def test_what_is_damaged_leaves_nothing_behind(files: Artifacts, settings: Settings, tmp_path: Path) -> None:
    old = files.put("a/p1.png", _picture(3), MADE)
    for content in (b"\x89PNG\r\n\x1a\n and then nothing", b"", tmp_path / "given"):
        (tmp_path / "given").write_bytes(b"no picture")
        with pytest.raises(InvalidInput):
            files.put("a/p1.png", content, MADE)
    assert files.find("a/p1.png") == old
    assert hashlib.sha256(files.read("a/p1.png")).hexdigest() == old.sha256
    assert (listing(files), rows(settings)) == (["a/p1.png"], ["a/p1.png"])


def test_an_upload_stays_as_it_is(files: Artifacts, sample: Callable[[str], bytes], tmp_path: Path) -> None:
    given = sample("png")
    kept = files.upload("a/.uploads/x.png", given, "user-2")
    assert files.read(kept.key) == given
    assert kept.sha256 == hashlib.sha256(given).hexdigest()
    files.fetch(kept.key, tmp_path / "copy")
    assert labels.read(tmp_path / "copy", "image/png") is None
    assert files.find(kept.key) == kept
    assert files.known(kept.sha256) is None  # it was not made here


def test_an_upload_may_be_of_any_kind(files: Artifacts) -> None:
    kept = files.upload("a/adapter.docx", b"any", "user-2")
    assert (kept.media_type, files.read(kept.key)) == (media_type_of("x.docx"), b"any")
    assert len(kept.media_type) > 64


def test_a_replaced_file_is_the_new_one_for_who_comes_after(files: Artifacts) -> None:
    for number in range(5):
        kept = files.put("a/script.json", document("x" * number * 1_000), MADE)
        assert files.find("a/script.json") == kept
        assert hashlib.sha256(files.read("a/script.json")).hexdigest() == kept.sha256
    assert listing(files) == ["a/script.json"]


def test_who_reads_keeps_the_whole_old_file(files: Artifacts, settings: Settings) -> None:
    """An object store may end the reading instead, and never mixes the two."""
    old = files.put("a/script.json", document("old" * 2_000_000), MADE)
    with files.open("a/script.json") as file:
        start = file.read(1_000)
        files.put("a/script.json", document("new" * 2_000_000), MADE)
        if settings.artifacts_url:
            with pytest.raises(FileExpired):
                file.read()
        else:
            assert hashlib.sha256(start + file.read()).hexdigest() == old.sha256


def test_no_half_file_is_ever_seen(files: Artifacts) -> None:
    """A reader during many replacements only ever finds one of the contents, whole."""
    written = {files.put("a/script.json", document("0" * 300_000), MADE).sha256}
    done = threading.Event()

    def write() -> None:
        for number in range(1, 15):
            written.add(files.put("a/script.json", document(str(number) * 300_000), MADE).sha256)
        done.set()

    seen = set()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not done.is_set() and not writing.done():
            with suppress(Unavailable):  # an object store's, replaced meanwhile
                seen.add(hashlib.sha256(files.read("a/script.json")).hexdigest())
        writing.result()
    assert seen <= written
    assert listing(files) == ["a/script.json"]


def test_of_two_at_once_one_stays_and_is_the_one_that_is_found(files: Artifacts) -> None:
    together = threading.Barrier(2)

    def write(words: str) -> None:
        together.wait(10)
        files.put("a/script.json", document(words), MADE)

    with ThreadPoolExecutor(2) as pool:
        for number in range(15):
            for done in [pool.submit(write, words * number) for words in ("one", "another")]:
                done.result()
            content, found = files.read("a/script.json"), files.find("a/script.json")
            assert (found.size_bytes, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert listing(files) == ["a/script.json"]


def test_delete_takes_a_folder_and_nothing_beside_it(files: Artifacts, settings: Settings) -> None:
    gone = ["generated_stories/1/.work/j/p1.json", "generated_stories/1/image/p1.json", "generated_stories/1/s.json"]
    kept = ["generated_stories/12/s.json", "generated_stories/1_/s.json", "generated_stories/2/s.json"]
    for key in gone + kept:
        files.put(key, document(key), MADE)
    hashes = [files.find(key).sha256 for key in gone]
    files.delete("generated_stories/1")
    assert listing(files) == rows(settings) == sorted(kept)
    assert [files.known(sha256) for sha256 in hashes] == [None] * len(gone)
    for key in gone:
        with pytest.raises(NotFound):
            files.open(key)
    files.delete("generated_stories/1")
    files.delete("generated_stories")
    assert (listing(files), rows(settings)) == ([], [])
    files.put(gone[0], document("again"), MADE)
    assert listing(files) == gone[:1]


@pytest.mark.parametrize("key", ["a/nothing.json", "a", "a/script.json/x", "b/script.json"])
def test_what_is_absent_is_not_found(files: Artifacts, tmp_path: Path, key: str) -> None:
    files.put("a/script.json", document("x"), MADE)
    for look in (files.read, files.open, files.find):
        with pytest.raises(NotFound):
            look(key)
    with pytest.raises(NotFound):
        files.fetch(key, tmp_path / "copy")
    with pytest.raises(NotFound):
        files.deliver(key, "a/copy.json", MADE)
    assert files.known("0" * 64, "nothing") is None


def test_a_file_can_be_read_from_anywhere(files: Artifacts) -> None:
    files.upload("a/x.bin", bytes(range(256)) * 40_000, "user-1")
    with files.open("a/x.bin") as file:
        file.seek(5_000_001)
        assert file.read(3) == bytes([5_000_001 % 256, 5_000_002 % 256, 5_000_003 % 256])
        file.seek(2)
        assert file.read(2) == b"\2\3"


def test_what_is_delivered_bears_the_mark_only_where_it_is_wanted(files: Artifacts, settings: Settings) -> None:
    files.put("a/.work/p1.png", _picture(255), MADE)
    for wanted in (True, False):
        delivering = Artifacts(settings.model_copy(update={"visible_label": wanted}))
        kept = delivering.deliver("a/.work/p1.png", "a/p1.png", MADE)
        with Image.open(io.BytesIO(delivering.read(kept.key))) as picture:
            assert (picture.convert("L").getextrema() != (255, 255)) is wanted
        delivering._database.engine.dispose()
    with Image.open(io.BytesIO(files.read("a/.work/p1.png"))) as picture:
        assert picture.convert("L").getextrema() == (255, 255)


def test_a_copy_tells_what_its_maker_told_of_the_source(files: Artifacts) -> None:
    told = {"model": "sdxl", "parameters": {"seed": 7, "revision": "abc"}}
    files.put("a/.work/p1.png", _picture(255), MADE.model_copy(update=told))
    copy = files.deliver("a/.work/p1.png", "a/p1.png", MADE.model_copy(update={"parameters": {"seed": 1, "page": 2}}))
    row = files.known(copy.sha256)
    assert row and (row.model, row.parameters) == ("sdxl", {"seed": 7, "revision": "abc", "page": 2})


def test_leaving_the_mark_out_is_logged_once(
    tmp_path: Path, sample: Callable[[str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    artifacts._tell_unmarked.cache_clear()
    settings = Settings(var=tmp_path, visible_label=False)
    database = Database(settings.tables_url)
    database.migrate()
    run_job(database)
    for name in ("mp4", "png"):
        files = Artifacts(settings)
        files.put(f"a/.work/x.{name}", sample(name), MADE)
        with caplog.at_level(logging.WARNING, "troupe.store"):
            files.deliver(f"a/.work/x.{name}", f"a/x.{name}", MADE)
    assert [line for line in caplog.messages if "TROUPE_VISIBLE_LABEL" in line] == [
        "TROUPE_VISIBLE_LABEL is off: pictures and films are delivered without the visible mark"
    ]


def test_a_file_of_ours_is_told_from_a_changed_one_and_a_foreign_one(files: Artifacts, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    files.put("a/p1.png", _picture(9), MADE.model_copy(update={"prompt": "a fox\0 in \ud800 snow"}))
    files.fetch("a/p1.png", copy)
    verdict = verify(files, copy, None)
    assert verdict.ours and not verdict.altered and verdict.origin is not None
    assert (verdict.origin.job_id, verdict.origin.model) == ("j1", "painter")
    assert verdict.origin.prompt == "a fox\ufffd in ? snow"
    stranger = verify(files, copy, ["user-2"]).origin
    assert stranger is not None and (stranger.model, stranger.job_id, stranger.prompt) == ("painter", None, None)
    copy.write_bytes(copy.read_bytes() + b"more")
    assert verify(files, copy, None).altered
    copy.write_bytes(_picture(8))
    verdict = verify(files, copy, None)
    assert (verdict.ours, verdict.altered, verdict.label, verdict.origin) == (False, False, None, None)


def test_a_place_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Artifacts(Settings(var=tmp_path, artifacts_url=f"file://{tmp_path}/file/artifacts")).check()


def _picture(shade: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), shade, np.uint8)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("end", ["cancelled", "deleted"])
def test_what_a_stopped_job_still_writes_is_not_kept(files: Artifacts, end: str) -> None:
    records = Records(files._database)
    if end == "cancelled":
        records.cancel("j1")
    else:
        records.delete_subject("subject")
    with pytest.raises(Cancelled):
        files.put("a/script.json", document("late"), MADE)
    with pytest.raises(NotFound):
        files.read("a/script.json")


def test_what_was_only_uploaded_is_not_ours(files: Artifacts, tmp_path: Path) -> None:
    content = _picture(90)
    files.upload("a/.uploads/x.png", content, "user-1")
    (tmp_path / "photo").write_bytes(content)
    verdict = verify(files, tmp_path / "photo", None)
    assert (verdict.ours, verdict.altered, verdict.origin) == (False, False, None)


@pytest.mark.parametrize("settings", ["s3"], indirect=True)
def test_what_is_uploaded_while_its_task_is_deleted_goes_too(files: Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    files.put("a/script.json", document("old"), MADE)
    filesystem = files._place[0]
    put_file = filesystem.put_file

    def late(path: str, target: str) -> None:
        Records(files._database).delete_subject("subject")
        files.delete("a")
        put_file(path, target)

    monkeypatch.setattr(filesystem, "put_file", late)
    with pytest.raises(Cancelled):
        files.put("a/script.json", document("new"), MADE)
    assert listing(files) == []


async def test_what_is_forgotten_late_takes_nothing_that_was_made_since(files: Artifacts, settings: Settings) -> None:
    """Nor what an earlier segment made too: the script is written by the first and by the third."""
    by: dict[str, Provenance] = {}
    for job_id in ("first", "third", "again"):
        Records(files._database).create(Job(id=job_id, kind="k", owner="user-1", params={}), "subject")
        Records(files._database).start(job_id)
        by[job_id] = MADE.model_copy(update={"job_id": job_id})
    script, page = f"{folder_of(1)}/script.json", f"{folder_of(1)}/image/p1.json"
    files.put(script, document("first"), by["first"])
    for key in (script, page, f"{scratch_of(1, 'third')}/p1.json"):
        files.put(key, document("third"), by["third"])
    files.upload(f"{uploads_of(1, 'third')}/picture.png", b"given", "user-1")
    newest = files.find(script)
    await forget(files, 1, ["third"], [script])
    assert listing(files) == [script] and rows(settings) == [script] * 2
    assert files.find(script) == newest and b"third" in files.read(script)
    made = files.put(page, document("again"), by["again"])
    await forget(files, 1, ["third"], [script])
    assert listing(files) == [page, script] and files.find(page) == made
    await forget(files, 1, ["third", "again"], [])
    assert (listing(files), rows(settings)) == ([], [])


NOTE = "BEGIN INSERT INTO last VALUES (1); {}END"
LATE = {  # rows of one kind break a constraint that is looked at when a transaction ends
    "sqlite": [f"CREATE TRIGGER late AFTER INSERT ON artifacts WHEN NEW.model = 'late' {NOTE.format('')}"],
    "postgresql": [
        f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS '{NOTE.format('RETURN NULL; ')}'",
        "CREATE TRIGGER late AFTER INSERT ON artifacts FOR EACH ROW WHEN (NEW.model = 'late') EXECUTE FUNCTION note()",
    ],
}


def test_a_file_comes_back_before_the_next_one_has_its_turn(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Artifacts(Settings(var=tmp_path, database_url=database_url, artifacts_url=f"file://{tmp_path}/artifacts"))
    files._database.migrate()
    run_job(files._database)
    with files._database.session() as session:
        late = "REFERENCES users DEFERRABLE INITIALLY DEFERRED"
        for line in (f"CREATE TABLE last (id INTEGER {late})", *LATE[files._database.url.get_backend_name()]):
            session.execute(text(line))
    files.put("a/script.json", document("old"), MADE)
    others: list[Future[Artifact]] = []
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        """The next one begins when the first has moved its file, and has its time before the old one comes back."""
        if source.name == ".kept":
            wait(others, 1)
        replace(source, target)
        if target == tmp_path / "artifacts/a/script.json" and not others:
            others.append(pool.submit(files.put, "a/script.json", document("next"), MADE))

    monkeypatch.setattr(os, "replace", watched)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Exception, match=r"(?i)foreign key"):
        files.put("a/script.json", document("late"), MADE.model_copy(update={"model": "late"}))
    assert files.find("a/script.json") == others[0].result()
    assert b"next" in files.read("a/script.json")
    files._database.engine.dispose()


def test_what_was_measured_of_an_upload_goes_with_it(files: Artifacts) -> None:
    """And is found by nobody under a name of its own."""
    files.upload("uploads/a/voice.wav", b"one", "ann")
    assert files.measured("uploads/a/voice.wav", "x.npz") is None
    for content in (b"1", b"2"):
        files.keep_measured("uploads/a/voice.wav", "x.npz", content)
        assert files.measured("uploads/a/voice.wav", "x.npz") == content
    assert files.measured("uploads/a/voice.wav", "y.npz") is None
    files.delete("uploads/a/voice.wav")
    assert files.measured("uploads/a/voice.wav", "x.npz") is None
    with pytest.raises(NotFound):
        files.keep_measured("uploads/a/voice.wav", "x.npz", b"3")
    assert files.measured("uploads/a/voice.wav", "x.npz") is None
    files.upload("uploads/a/voice.wav", b"one", "ann")
    files.keep_measured("uploads/a/voice.wav", "x.npz", b"4")
    files.delete("uploads/a")
    assert files.measured("uploads/a/voice.wav", "x.npz") is None
