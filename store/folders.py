"""What operators have laid into the store themselves: nothing is known of it but that it is there. Blocking."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec

from contracts.faults import AWAY
from contracts.settings import Settings
from store.faults import told


@dataclass(frozen=True)
class Laid:
    name: str
    size_bytes: int  # of a folder: 0
    is_folder: bool


@told(AWAY)
def look(settings: Settings, key: str) -> Laid | None:
    """What a key names; None: nothing is there."""
    filesystem, root = _place(settings)
    try:
        return _laid(filesystem.info(f"{root}/{key}"))
    except (FileNotFoundError, NotADirectoryError):
        return None


@told(AWAY)
def children(settings: Settings, folder: str) -> list[Laid]:
    """What lies directly in a folder, by name; names that open with a dot are the store's own."""
    filesystem, root = _place(settings)
    try:
        found = map(_laid, filesystem.ls(f"{root}/{folder}", detail=True))
        return sorted(_visible(found), key=lambda each: each.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _place(settings: Settings) -> tuple[Any, str]:
    # a listing that is kept hides what others put there
    filesystem, root = fsspec.core.url_to_fs(settings.files_url, use_listings_cache=False)
    return filesystem, root.rstrip("/")


def _laid(info: dict[str, Any]) -> Laid:
    is_folder = info["type"] == "directory"
    return Laid(PurePosixPath(info["name"]).name, 0 if is_folder else int(info["size"] or 0), is_folder)


def _visible(found: Iterator[Laid]) -> list[Laid]:
    return [each for each in found if not each.name.startswith(".")]
