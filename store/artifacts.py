"""Artifacts: files by key, in a folder or an object store. The one way in labels what the cluster generated.

For `s3://bucket/prefix`, credentials, region and a service other than Amazon's (`AWS_ENDPOINT_URL`) come from where
every S3 program has them: the `AWS_*` variables, or the files under `~/.aws`.
"""

import hashlib
import logging
import mimetypes
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any

import fsspec
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from contracts.artifacts import Artifact, Provenance
from contracts.errors import Cancelled, Conflict, NotFound, UnsupportedMedia
from contracts.faults import AWAY
from contracts.settings import Settings
from store import labels
from store.database import Begin, Database, now_ms
from store.disk import check_room
from store.faults import told
from store.tables import ArtifactRow, JobRow, LeaseRow

log = logging.getLogger("troupe.store")
MEDIA = {  # beside Python's own table
    ".aac": "audio/aac",
    ".aiff": "audio/x-aiff",
    ".amr": "audio/amr",
    ".caf": "audio/x-caf",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".srt": "application/x-subrip",
    ".ts": "video/mp2t",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webp": "image/webp",
    ".wma": "audio/x-ms-wma",
}
BLOCK_BYTES = 4 << 20  # what is asked of an object store at once
MEASURED = ".measured"  # a folder for what engines measured of uploads; no caller can name it


class Artifacts:
    """Opened on first use. It travels to a replica without its settings: every machine has its own.

    A disk that is full or not writable, an object store or a database that does not answer: `Unavailable`, and what was
    there before stays.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    @cached_property
    def _database(self) -> Database:
        return Database(self.settings.tables_url)

    @cached_property
    def _place(self) -> tuple[Any, str]:
        # a listing that is kept hides what other processes write
        filesystem, root = fsspec.core.url_to_fs(self.settings.files_url, use_listings_cache=False)
        return filesystem, root.rstrip("/")

    def __reduce__(self) -> tuple[Any, ...]:
        return Artifacts, ()

    @told(AWAY)
    def check_wanted(self, made: Provenance) -> None:
        """`Cancelled` when `put` would keep nothing: the job no longer runs, or its worker was given up for lost."""
        with self._database.session() as session:
            _check_fence(session, made)

    @told(AWAY)
    def put(self, key: str, content: bytes | Path, made: Provenance) -> Artifact:
        """Keep what the cluster generated: labelled, visible only when whole, in place of what had this key.

        A path is moved away, bytes are copied. What cannot be labelled: `UnsupportedMedia`, and nothing is moved. Of a
        job that no longer runs: `Cancelled`, and nothing is kept.
        """
        produce_id, media_type = uuid.uuid4().hex, media_type_of(key)
        if media_type not in labels.MEDIA.keys() | labels.BY_HEADER:
            raise UnsupportedMedia(f"不支持标识 {media_type} 文件。")
        with self._scratch(key, content) as path:
            label = labels.Label.generated(self.settings.producer, produce_id, digest(path))
            labels.write(path, media_type, label)
            return self._publish(path, key, made, produce_id, media_type)

    @told(AWAY)
    def deliver(self, source: str, key: str, made: Provenance) -> Artifact:
        """Keep a copy for people: a picture bears the visible mark. (A film's is drawn while it is rendered.)

        What its maker told of the source is true of the copy.
        """
        made = self._told_of(source, made)
        if not self.settings.visible_label:
            _tell_unmarked()
        elif media_type_of(key).startswith("image/"):
            return self.put(key, labels.mark_picture(self.read(source)), made)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(key).name
            self.fetch(source, copy)
            return self.put(key, copy, made)

    @told(AWAY)
    def upload(self, key: str, content: bytes | Path, owner: str, fresh: bool = False) -> Artifact:
        """Keep what a caller gave: as it is, without a label of ours.

        `fresh`: `Conflict` when something has this key.
        """
        check_room(self.settings)
        with self._scratch(key, content) as path:
            return self._publish(path, key, Provenance(owner=owner), uuid.uuid4().hex, media_type_of(key), fresh)

    @told(AWAY)
    def read(self, key: str) -> bytes:
        with self.open(key) as file:
            return file.read()

    @told(AWAY)
    def fetch(self, key: str, path: Path) -> None:
        with self.open(key) as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)

    @told(AWAY)
    def open(self, key: str) -> IO[bytes]:
        """For reading, seekable; the caller closes. Not found: `NotFound`.

        Who reads while the file is replaced goes on with the old one in a folder, and gets an `OSError` from an object
        store; nobody gets parts of both.
        """
        filesystem, root = self._place
        try:
            file = filesystem.open(f"{root}/{key}", "rb", block_size=BLOCK_BYTES)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _absent() from None
        if getattr(file, "details", {}).get("type") == "directory":  # object stores open these too
            raise _absent()
        return file  # fsspec is untyped

    @told(AWAY)
    def measured(self, key: str, name: str) -> bytes | None:
        """What was measured of an upload, under this name; None: nothing yet."""
        try:
            return self.read(f"{MEASURED}/{key}/{name}")
        except NotFound:
            return None

    @told(AWAY)
    def keep_measured(self, key: str, name: str, content: bytes) -> None:
        """Keep what was measured of an upload until the upload is deleted; of one that is gone nothing is kept."""
        self.upload(f"{MEASURED}/{key}/{name}", content, self._owner(key))
        if not _is_known(key, self._database.session):  # deleted meanwhile
            self.delete(key)

    def _told_of(self, key: str, made: Provenance) -> Provenance:
        newest = select(ArtifactRow).where(ArtifactRow.key == key).order_by(ArtifactRow.created_ms.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalar(newest)
        if row is None:
            return made
        told = {"model": row.model or made.model, "parameters": made.parameters | row.parameters}
        return made.model_copy(update=told)

    def _owner(self, key: str) -> str:
        with self._database.session() as session:
            owner = session.scalar(select(ArtifactRow.owner).where(ArtifactRow.key == key).limit(1))
        if owner is None:
            raise _absent()
        return owner

    def find(self, key: str) -> Artifact:
        """The newest artifact of this key."""
        newest = select(ArtifactRow).where(ArtifactRow.key == key).order_by(ArtifactRow.created_ms.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalar(newest)
        if row is None:
            raise _absent()
        return Artifact(key=row.key, media_type=row.media_type, size_bytes=row.size_bytes, sha256=row.sha256)

    def known(self, sha256: str, produce_id: str = "") -> ArtifactRow | None:
        """Who made a content: by its hash, else by the id in its label. What was only uploaded was not made here."""
        wanted = or_(ArtifactRow.sha256 == sha256, ArtifactRow.id == produce_id)
        with self._database.session() as session:
            rows = session.scalars(select(ArtifactRow).where(wanted, ArtifactRow.job_id != "")).all()
        return next((row for row in rows if row.sha256 == sha256), rows[0] if rows else None)

    @told(AWAY)
    def delete(self, key: str) -> None:
        """Remove a file, or a folder with everything in it, and what is known of it. Nothing there: nothing happens."""
        for each in (key, f"{MEASURED}/{key}"):
            self._remove(each)
            theirs = or_(ArtifactRow.key == each, ArtifactRow.key.startswith(f"{each}/", autoescape=True))
            with self._database.session() as session:
                session.execute(delete(ArtifactRow).where(theirs))
            self._remove(each)  # an upload that came between, and found that the key was known

    @told(AWAY)
    def delete_made(self, job_ids: Collection[str], keep: Collection[str] = ()) -> None:
        """Remove what these jobs made, and what is known of it; what another job has put in its place stays.

        So do the keys to `keep`, whoever wrote them last.
        """
        theirs = ArtifactRow.job_id.in_(job_ids), ArtifactRow.key.not_in(keep)
        with self._database.session() as session:
            keys = session.scalars(select(ArtifactRow.key).where(*theirs).distinct()).all()
        for key in keys:
            newest = select(ArtifactRow.job_id).where(ArtifactRow.key == key).order_by(ArtifactRow.created_ms.desc())
            with self._database.lock(key) as begin:
                with begin() as session:
                    made_by = session.scalar(newest.limit(1))
                if made_by in job_ids:
                    self.delete(key)
        with self._database.session() as session:
            session.execute(delete(ArtifactRow).where(*theirs))

    @told(AWAY)
    def check(self) -> None:
        """`Unavailable` when the files cannot be reached."""
        filesystem, root = self._place
        filesystem.makedirs(root, exist_ok=True)
        with suppress(FileNotFoundError):  # an object store has no empty folders
            filesystem.ls(root)

    def _remove(self, key: str) -> None:
        filesystem, root = self._place
        while filesystem.exists(f"{root}/{key}"):
            with suppress(FileNotFoundError):  # somebody else removes it too
                filesystem.rm(f"{root}/{key}", recursive=True)

    @contextmanager
    def _scratch(self, key: str, content: bytes | Path) -> Iterator[Path]:
        """A private copy on this machine; beside the store when that is a folder, so that moving it is atomic."""
        filesystem, root = self._place
        local = "file" in filesystem.protocol
        beside = Path(root) / ".scratch" if local else None
        if beside:
            beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside) as folder:
            path = Path(folder) / Path(key).name
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                shutil.move(content, path)
            yield path

    def _publish(
        self, path: Path, key: str, made: Provenance, produce_id: str, media_type: str, fresh: bool = False
    ) -> Artifact:
        artifact = Artifact(key=key, media_type=media_type, size_bytes=path.stat().st_size, sha256=digest(path))
        row = ArtifactRow(id=produce_id, **made.model_dump(exclude={"lease"}), **artifact.model_dump())
        filesystem, root = self._place
        with self._database.lock(key) as begin:  # so that the newest row is of the file that stays
            if fresh and _is_known(key, begin):
                raise Conflict("文件名已被占用。")
            if "file" not in filesystem.protocol:
                self._upload(path, row, made, begin)
            else:
                with _replacing(Path(root) / key, path) as replace, begin() as session:
                    _add(session, row, made)
                    replace()
        return artifact

    def _upload(self, path: Path, row: ArtifactRow, made: Provenance, begin: Begin) -> None:
        filesystem, root = self._place
        target, key = f"{root}/{row.key}", row.key
        with begin() as session:  # its locks do not last as long as the writing
            _check_fence(session, made)
        filesystem.put_file(str(path), target)  # object stores show an object only when it is whole
        try:
            with begin() as session:
                _add(session, row, made)
        except Cancelled:
            if not _is_known(key, begin):  # or no longer
                filesystem.rm(target)
            raise


def _is_known(key: str, begin: Begin) -> bool:
    with begin() as session:
        return bool(session.scalar(select(exists().where(ArtifactRow.key == key))))


def _add(session: Session, row: ArtifactRow, made: Provenance) -> None:
    """The newest row of its key. Nobody stops the job or takes it over until the transaction ends."""
    newest = session.scalar(select(func.max(ArtifactRow.created_ms)).where(ArtifactRow.key == row.key))
    row.created_ms = max(now_ms(), (newest or 0) + 1)
    session.add(row)
    session.flush()
    _check_fence(session, made)


def _check_fence(session: Session, made: Provenance) -> None:
    """A call goes on for a while after its job was cancelled or deleted, or its worker given up for lost."""
    state = select(JobRow.state).where(JobRow.id == made.job_id).with_for_update(read=True)
    if made.job_id and session.scalar(state) != "running":
        raise Cancelled("已取消")
    lease = select(LeaseRow.holder).where(LeaseRow.holder == made.lease).with_for_update(read=True)
    if made.lease and session.scalar(lease) is None:
        raise Cancelled("已由其他节点接管")


@contextmanager
def _replacing(target: Path, path: Path) -> Iterator[Callable[[], None]]:
    """What moves the file to its place; when its row cannot be kept after that, what was there comes back."""
    ours, kept = path.stat(), path.with_name(".kept")
    if target.exists():
        _twin(target, kept)

    def replace() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)

    try:
        yield replace
    except SQLAlchemyError:
        if not target.exists() or not os.path.samestat(target.stat(), ours):
            pass  # not moved; or the lock was lost meanwhile, and somebody has put another there
        elif kept.exists():
            os.replace(kept, target)
        else:
            target.unlink()
        raise


def _twin(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a share without hard links
        shutil.copyfile(file, name)


@cache
def _tell_unmarked() -> None:
    """Once a process."""
    log.warning("TROUPE_VISIBLE_LABEL is off: pictures and films are delivered without the visible mark")


def _absent() -> NotFound:
    return NotFound("文件不存在。", param="name")


def media_type_of(key: str) -> str:
    suffix = Path(key).suffix.lower()
    guess, packed = mimetypes.guess_type(key)
    return MEDIA.get(suffix) or (not packed and guess) or "application/octet-stream"


def digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
