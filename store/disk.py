"""The disks that files are kept on: how much is free, what nobody has touched for long."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fsspec.core import split_protocol

from contracts.errors import Unavailable
from contracts.settings import Settings

GIB = 1 << 30
RETRY_S = 60.0


@dataclass(frozen=True)
class Removed:
    """How much of one kind was removed; of a dry run: would be."""

    what: str
    count: int
    size_bytes: int = 0


def check_room(settings: Settings) -> None:
    """`Unavailable` when a disk that new work would fill has less free than `min_free_gib`."""
    places = [settings.var, folder_of_files(settings)]
    if any(free_bytes(place) < settings.min_free_gib * GIB for place in places if place):
        raise Unavailable("磁盘空间不足，暂不接受新任务。", retry_after_s=RETRY_S)


def folder_of_files(settings: Settings) -> Path | None:
    """Where the artifacts lie, if that is a folder."""
    protocol, path = split_protocol(settings.files_url)
    return Path(path) if protocol in (None, "file", "local") else None


def free_bytes(place: Path) -> int:
    """Of the disk that a folder lies on, or will when it is made."""
    place = place.resolve()
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


def size_of(place: Path) -> int:
    """Bytes of a file, or of all the files in a folder."""
    return sum(status.st_size for status in _statuses(place))


def touched_ms(place: Path) -> int:
    """When it, or anything in it, last changed; 0 when it is gone."""
    return max((status.st_mtime_ns for status in _statuses(place)), default=0) // 1_000_000


def remove(what: str, places: Iterable[Path], dry_run: bool) -> Removed:
    """Files, links, and folders with all that is in them; what cannot be removed stays."""
    count = size_bytes = 0
    for place in places:
        size = size_of(place)
        if not dry_run:
            _remove(place)
        if dry_run or not os.path.lexists(place):
            count, size_bytes = count + 1, size_bytes + size
    return Removed(what, count, size_bytes)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()


def _statuses(place: Path) -> Iterator[os.stat_result]:
    """Of it and everything in it; links are not followed, and what disappears meanwhile is passed by."""
    below = (Path(folder, name) for folder, folders, files in os.walk(place) for name in (*folders, *files))
    for path in (place, *below):
        with suppress(OSError):
            yield path.lstat()
