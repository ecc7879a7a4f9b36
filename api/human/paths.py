"""Documented paths, and the keys of the store that they name: results by their name, all else of the caller's own."""

from collections.abc import Iterator

from api.callers import Caller
from api.paths import PROJECT as PROJECT
from api.paths import documented as documented
from api.paths import home as home
from api.state import State
from contracts.artifacts import Artifact
from contracts.errors import InvalidInput, NotFound
from contracts.human import RES_VIDEOS, RES_VOICES
from contracts.media import WORDS, Kind
from store.listing import newest_under

RECORDINGS, RECORDING = "static/audios", "static/audios/input.wav"
RESULTS = (f"{RES_VOICES}/", f"{RES_VIDEOS}/")  # names that nobody can guess: whoever has one may have the file
ROOTS = ("static/", "models/")


def told(key: str) -> str:
    """The documented path of a key."""
    parts = key.split("/", 2)
    return parts[2] if parts[0] == "callers" and len(parts) == 3 else key


def find(state: State, caller: Caller, path: str, param: str | None = None) -> Artifact:
    """The file that a documented path names for this caller. Another's, or none: `NotFound`."""
    name = documented(path, param or "path")
    for key in _keys(state, caller, name):
        try:
            return state.artifacts.find(key)
        except NotFound:
            continue
    raise NotFound("文件不存在。", param=param)


def find_media(state: State, caller: Caller, path: str, kind: Kind, param: str) -> Artifact:
    """The same, of a kind; another kind is `InvalidInput`."""
    found = find(state, caller, path, param)
    if not found.media_type.startswith(f"{kind}/"):
        raise InvalidInput(f"应为{WORDS[kind]}文件。", param=param)
    return found


def _keys(state: State, caller: Caller, name: str) -> Iterator[str]:
    """Where it may lie; the caller's own goes before what was made at its address."""
    if name.startswith(RESULTS):
        yield name
    elif name == RECORDING:
        for owner in (*caller.owners, *caller.owners):  # the one that was listed may have been replaced since
            yield from (row.key for row in newest_under(state.database, [f"{home(owner)}/{RECORDINGS}"]))
    elif name.startswith(ROOTS):
        yield from (f"{home(owner)}/{name}" for owner in caller.owners)
