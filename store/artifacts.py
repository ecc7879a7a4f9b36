"""Artifacts: files by key, in a folder or an object store. The one way in labels what the cluster generated."""

import hashlib
import mimetypes
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import fsspec
from sqlalchemy import delete, or_, select

from contracts.artifacts import Artifact, Provenance
from contracts.errors import NotFound
from contracts.settings import Settings
from store import labels
from store.database import Database, now_ms
from store.tables import ArtifactRow

MEDIA = {".srt": "application/x-subrip", ".wav": "audio/wav", ".md": "text/markdown"}  # beside Python's own table


class Artifacts:
    """Opened on first use. It travels to a replica without its settings: every machine has its own."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    @cached_property
    def _database(self) -> Database:
        return Database(self.settings.tables_url)

    @cached_property
    def _place(self) -> tuple[Any, str]:
        filesystem, root = fsspec.core.url_to_fs(self.settings.files_url, auto_mkdir=True)
        return filesystem, root.rstrip("/")

    def __reduce__(self) -> tuple[Any, ...]:
        return Artifacts, ()

    def put(self, key: str, content: bytes | Path, made: Provenance) -> Artifact:
        """Keep what the cluster generated: labelled, visible only when whole, in place of what had this key.

        A path is moved away, bytes are copied.
        """
        with self._scratch(key, content) as path:
            produce_id, media_type = uuid.uuid4().hex, media_type_of(key)
            label = labels.Label.generated(self.settings.producer, produce_id, digest(path))
            labels.write(path, media_type, label)
            return self._publish(path, key, made, produce_id, media_type)

    def deliver(self, source: str, key: str, made: Provenance) -> Artifact:
        """Keep a copy for people: a picture bears the visible mark. (A film's is drawn while it is rendered.)"""
        content = self.read(source)
        if self.settings.visible_label and media_type_of(key).startswith("image/"):
            content = labels.mark_picture(content)
        return self.put(key, content, made)

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
        """For reading, seekable; the caller closes. Not found: `NotFound`."""
        filesystem, root = self._place
        try:
            return filesystem.open(f"{root}/{key}", "rb")  # fsspec is untyped
        except (FileNotFoundError, IsADirectoryError):
            raise NotFound("文件不存在。", param="name") from None

    def find(self, key: str) -> Artifact:
        """The newest artifact of this key."""
        newest = select(ArtifactRow).where(ArtifactRow.key == key).order_by(ArtifactRow.created_ms.desc()).limit(1)
        with self._database.session() as session:
            row = session.scalar(newest)
        if row is None:
            raise NotFound("文件不存在。", param="name")
        return Artifact(key=row.key, media_type=row.media_type, size_bytes=row.size_bytes, sha256=row.sha256)

    def known(self, sha256: str, produce_id: str = "") -> ArtifactRow | None:
        """Who made a content: by its hash, else by the id in its label."""
        wanted = or_(ArtifactRow.sha256 == sha256, ArtifactRow.id == produce_id)
        with self._database.session() as session:
            rows = session.scalars(select(ArtifactRow).where(wanted)).all()
        return next((row for row in rows if row.sha256 == sha256), rows[0] if rows else None)

    def delete(self, folder: str) -> None:
        """Remove everything below a folder, and what is known of it. Nothing there: nothing happens."""
        filesystem, root = self._place
        if filesystem.exists(f"{root}/{folder}"):
            filesystem.rm(f"{root}/{folder}", recursive=True)
        with self._database.session() as session:
            session.execute(delete(ArtifactRow).where(ArtifactRow.key.startswith(f"{folder}/", autoescape=True)))

    def check(self) -> None:
        """Raise what the file system raises when it cannot be reached."""
        filesystem, root = self._place
        filesystem.makedirs(root, exist_ok=True)
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
        if "file" in filesystem.protocol:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        else:
            filesystem.put_file(str(path), target)  # object stores show an object only when it is whole
        row = made.model_dump() | artifact.model_dump()
        with self._database.session() as session:
            session.add(ArtifactRow(id=produce_id, created_ms=now_ms(), **row))
        return artifact


def media_type_of(key: str) -> str:
    suffix = Path(key).suffix.lower()
    return MEDIA.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"


def digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
