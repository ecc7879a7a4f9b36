"""What a long run of another process keeps while it lasts: its checkpoints, how far it is, what it is told. Blocking.

It lies beside the artifacts, so that every machine of the cluster sees it, and is nobody's: no path names it.
"""

import uuid
from contextlib import suppress
from functools import cached_property
from typing import Any

import fsspec

from contracts.faults import AWAY
from contracts.settings import Settings
from store.faults import told

FOLDER = ".runs"
RAY_TRAIN = "ray_train"  # a folder of `var`: what Ray Train itself notes down, by run and attempt


class Run:
    """Its files are there whole or not at all; of several who write one, the last wins."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.settings, self.id = settings, run_id

    @cached_property
    def _place(self) -> tuple[Any, str]:
        # a listing that is kept hides what other processes write
        filesystem, root = fsspec.core.url_to_fs(self.settings.files_url, use_listings_cache=False)
        return filesystem, f"{root.rstrip('/')}/{FOLDER}/{self.id}"

    @told(AWAY)
    def write(self, name: str, content: bytes) -> None:
        filesystem, root = self._place
        if "file" not in filesystem.protocol:
            filesystem.pipe_file(f"{root}/{name}", content)  # object stores show an object only when it is whole
            return
        scratch = f"{root}/.{name.replace('/', '-')}.{uuid.uuid4().hex}"
        filesystem.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
        try:
            filesystem.pipe_file(scratch, content)
            filesystem.mv(scratch, f"{root}/{name}")
        finally:
            with suppress(FileNotFoundError):
                filesystem.rm_file(scratch)

    @told(AWAY)
    def read(self, name: str) -> bytes | None:
        """None: there is none."""
        filesystem, root = self._place
        try:
            return bytes(filesystem.cat_file(f"{root}/{name}"))
        except FileNotFoundError:
            return None

    @told(AWAY)
    def names(self) -> list[str]:
        """Of the files that lie directly in it."""
        filesystem, root = self._place
        try:
            found = filesystem.ls(root, detail=True)
        except FileNotFoundError:
            return []
        names = [str(each["name"]).rpartition("/")[2] for each in found if each["type"] == "file"]
        return sorted(name for name in names if not name.startswith("."))

    @told(AWAY)
    def delete(self, name: str) -> None:
        filesystem, root = self._place
        with suppress(FileNotFoundError):
            filesystem.rm_file(f"{root}/{name}")

    @told(AWAY)
    def clear(self) -> None:
        """Everything of the run is gone."""
        filesystem, root = self._place
        with suppress(FileNotFoundError):
            filesystem.rm(root, recursive=True)


@told(AWAY)
def run_ids(settings: Settings) -> list[str]:
    """Of all runs of which something is left."""
    filesystem, root = fsspec.core.url_to_fs(settings.files_url, use_listings_cache=False)
    try:
        found = filesystem.ls(f"{root.rstrip('/')}/{FOLDER}", detail=False)
    except FileNotFoundError:
        return []
    return [str(each).rstrip("/").rpartition("/")[2] for each in found]
