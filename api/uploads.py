"""Files that callers send in forms: spooled to the disk, checked there, and kept in the store."""

import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request, UploadFile
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.state import State
from contracts.artifacts import Artifact
from contracts.errors import TooLarge
from contracts.media import WORDS, Kind, Media
from store.media import probe

MOST_FILES, MOST_FIELDS, FIELD_BYTES = 8, 64, 256 << 10  # of one form: what of it may be in memory


@dataclass(frozen=True)
class Upload:
    artifact: Artifact
    media: Media


def take(state: State, file: UploadFile, kinds: Collection[Kind], owner: str, param: str = "file") -> Upload:
    """Keep a file of one of these kinds for its owner, under a name that nobody can guess.

    Another kind: `UnsupportedMedia`; broken or empty: `InvalidInput`; larger than its kind may be: `TooLarge`; nothing
    of them is kept. It blocks: call it in a thread.
    """
    _check_size(state, file, max(kinds, key=state.settings.most_bytes), param)
    media = probe(file.file, kinds, param)
    _check_size(state, file, media.kind, param)
    key = f"{folder_of(owner)}/{uuid.uuid4().hex}{media.suffix}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy, 1 << 20)
        return Upload(state.artifacts.upload(key, path, owner), media)


def folder_of(owner: str) -> str:
    """Where the uploads of an owner lie."""
    return f"uploads/{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def _check_size(state: State, file: UploadFile, kind: Kind, param: str) -> None:
    most = state.settings.most_bytes(kind)
    if (file.size or 0) > most:
        raise TooLarge(f"{WORDS[kind]}不能超过 {most >> 20} MB。", param=param)


class FormRoute(APIRoute):
    """A route whose forms are small but for their files: `APIRouter(route_class=FormRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return bounded


class _Request(Request):
    """Starlette would hold a thousand files and a thousand fields, a MiB of each, in memory."""

    def form(self, **_: Any) -> Any:  # Starlette keeps the type to itself
        return super().form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES)
