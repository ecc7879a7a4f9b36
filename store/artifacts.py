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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any

import fsspec
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from contracts.artifacts import Artifact, Provenance
from contracts.errors import Cancelled, NotFound, UnsupportedMedia
from contracts.settings import Settings
from store import labels
from store.database import Database, now_ms
from store.tables import ArtifactRow, JobRow

log = logging.getLogger("troupe.store")
MEDIA = {  # beside Python's own table
    ".flac": "audio/flac",
    ".md": "text/markdown",
    ".ogg": "audio/ogg",
    ".srt": "application/x-subrip",
    ".wav": "audio/wav",
    ".webp": "image/webp",
}
BLOCK_BYTES = 4 << 20  # what is asked of an object store at once


class Artifacts:
    """Opened on first use. It travels to a replica without its settings: every machine has its own."""

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

    def deliver(self, source: str, key: str, made: Provenance) -> Artifact:
        """Keep a copy for people: a picture bears the visible mark. (A film's is drawn while it is rendered.)"""
        if not self.settings.visible_label:
            _tell_unmarked()
        elif media_type_of(key).startswith("image/"):
            return self.put(key, labels.mark_picture(self.read(source)), made)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(key).name
            self.fetch(source, copy)
            return self.put(key, copy, made)

    def upload(self, key: str, content: bytes | Path, owner: str) -> Artifact:
        """Keep what a caller gave: as it is, without a label of ours."""
        with self._scratch(key, content) as path:
            return self._publish(path, key, Provenance(owner=owner), uuid.uuid4().hex, media_type_of(key))

    def read(self, key: str) -> bytes:
        with self.open(key) as file:
            return file.read()

    def fetch(self, key: str, path: Path) -> None:
        with self.open(key) as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)

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

    def delete(self, folder: str) -> None:
        """Remove everything below a folder, and what is known of it. Nothing there: nothing happens."""
        filesystem, root = self._place
        with suppress(FileNotFoundError):
            filesystem.rm(f"{root}/{folder}", recursive=True)
        with self._database.session() as session:
            session.execute(delete(ArtifactRow).where(ArtifactRow.key.startswith(f"{folder}/", autoescape=True)))

    def check(self) -> None:
        """Raise what the file system raises when it cannot be reached."""
        filesystem, root = self._place
        filesystem.makedirs(root, exist_ok=True)
        with suppress(FileNotFoundError):  # an object store has no empty folders
            filesystem.ls(root)

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

    def _publish(self, path: Path, key: str, made: Provenance, produce_id: str, media_type: str) -> Artifact:
        artifact = Artifact(key=key, media_type=media_type, size_bytes=path.stat().st_size, sha256=digest(path))
        filesystem, root = self._place
        target = f"{root}/{key}"
        row = ArtifactRow(id=produce_id, **made.model_dump(), **artifact.model_dump())
        with self._database.turn(key) as session:  # so that the newest row is of the file that stays
            _check_runs(session, made.job_id)
            if "file" in filesystem.protocol:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
            else:
                filesystem.put_file(str(path), target)  # object stores show an object only when it is whole
            newest = session.scalar(select(func.max(ArtifactRow.created_ms)).where(ArtifactRow.key == key))
            try:
                _check_runs(session, made.job_id)  # again: writing to an object store can take seconds
            except Cancelled:
                if newest is None:
                    filesystem.rm(target)
                raise
            row.created_ms = max(now_ms(), (newest or 0) + 1)
            session.add(row)
        return artifact


def _check_runs(session: Session, job_id: str) -> None:
    """The fence: a call goes on for a while after its job was cancelled, deleted or given to another worker."""
    if job_id and session.scalar(select(JobRow.state).where(JobRow.id == job_id)) != "running":
        raise Cancelled("已取消")


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
