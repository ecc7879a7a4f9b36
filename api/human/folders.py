"""Avatars that a caller may have speak: its own that were trained, those that operators share, those that ship."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import get_args

from api.callers import Caller
from api.human.paths import told
from api.paths import home
from api.state import State
from contracts.avatar import STARTER
from contracts.catalog import CATALOG
from contracts.errors import InvalidInput, NotFound
from contracts.human import AvatarModel
from contracts.platform import MANIFEST, TRAINED
from store.listing import newest_under
from store.names import key_of
from store.tables import ArtifactRow

MODELS: tuple[AvatarModel, ...] = get_args(AvatarModel)
SHIPPED = "starter"  # name of those that ship


@dataclass(frozen=True)
class File:
    """`path`: as documents tell it."""

    path: str
    size_bytes: int
    created_ms: int


@dataclass(frozen=True)
class Folder:
    """`key`: where an avatar model finds it; `path`: as documents name it."""

    model: AvatarModel
    name: str
    key: str
    files: tuple[File, ...]

    @property
    def path(self) -> str:
        return f"{TRAINED}/{self.model}/{self.name}"

    @property
    def created_ms(self) -> int:
        return min(file.created_ms for file in self.files)

    @property
    def modified_ms(self) -> int:
        return max(file.created_ms for file in self.files)


def folders(state: State, caller: Caller) -> list[Folder]:
    """Newest first, those that ship last. A folder without a manifest is not whole, or none of ours."""
    roots = {f"{place}/{model}": model for place in _places(caller) for model in MODELS}
    inside: dict[str, list[ArtifactRow]] = {}
    for row in newest_under(state.database, list(roots)):
        inside.setdefault(row.key.rpartition("/")[0], []).append(row)
    found = [_kept(roots[root], key, rows) for key, rows in inside.items() if (root := key.rpartition("/")[0]) in roots]
    whole = [each for each in found if any(PurePosixPath(file.path).name == MANIFEST for file in each.files)]
    return sorted(whole, key=lambda each: -each.created_ms) + list(_shipped())


def find_folder(state: State, caller: Caller, model: str, name: str, param: str) -> Folder:
    """The caller's own goes before what is shared. Another's is told of as one that is not there."""
    found = [each for each in folders(state, caller) if (each.model, each.name) == (model, name)]
    if not found:
        raise NotFound("模型不存在，或尚未训练完成。", param=param)
    return min(found, key=lambda each: not each.key.startswith("callers/"))


def own_keys(state: State, caller: Caller, model: str, name: str) -> list[str]:
    """Where something of the caller's own lies under this name, whole or not. What is no name: nowhere."""
    try:
        key = key_of(f"{TRAINED}/{model}/{name}")
    except InvalidInput:
        return []
    if key.count("/") != 2:
        return []
    places = [f"{home(owner)}/{key}" for owner in caller.owners]
    rows = newest_under(state.database, places)  # SQLite compares without regard to case
    return [place for place in places if any(row.key.startswith(f"{place}/") for row in rows)]


def _places(caller: Caller) -> list[str]:
    """No caller can write in the last one."""
    return [*(f"{home(owner)}/{TRAINED}" for owner in caller.owners), TRAINED]


def _kept(model: AvatarModel, key: str, rows: Sequence[ArtifactRow]) -> Folder:
    files = tuple(File(told(row.key), row.size_bytes, row.created_ms) for row in rows)
    return Folder(model, key.rpartition("/")[2], key, files)


def _shipped() -> Iterator[Folder]:
    for model in MODELS:
        place = CATALOG / STARTER / model
        if (place / MANIFEST).is_file():
            files = tuple(
                File(f"{TRAINED}/{model}/{SHIPPED}/{each.name}", each.stat().st_size, int(each.stat().st_mtime * 1000))
                for each in sorted(place.iterdir())
            )
            yield Folder(model, SHIPPED, f"{STARTER}/{model}", files)
