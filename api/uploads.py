"""Files that callers send in forms: spooled to the disk, checked there, and kept in the store."""

import asyncio
import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from fastapi import Depends, Request, UploadFile
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.state import State
from contracts.artifacts import Artifact
from contracts.errors import Conflict, InvalidInput, TooLarge
from contracts.media import WORDS, Kind, Media
from store.media import probe

MOST_FILES, MOST_FIELDS, FIELD_BYTES = 8, 64, 256 << 10  # of one form: what of it may be in memory
THREADS = 64  # most of them wait for their turn to decode
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
_threads = ThreadPoolExecutor(THREADS, "uploads")


@dataclass(frozen=True)
class Upload:
    artifact: Artifact
    media: Media


async def aside(call: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
    """Call what takes uploads, in a thread: of its own kind, so that what is quick need not wait for what decodes."""
    run = partial(copy_context().run, call, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads, run)


def take(state: State, file: UploadFile, kinds: Collection[Kind], owner: str, param: str = "file") -> Upload:
    """Keep a file of one of these kinds for its owner, under a name that nobody can guess.

    Another kind: `UnsupportedMedia`; broken or empty: `InvalidInput`; larger than its kind may be: `TooLarge`; nothing
    of them is kept. It blocks: call it `aside`.
    """
    return keep(state, file, kinds, owner, param, lambda media: f"{folder_of(owner)}/{uuid.uuid4().hex}{media.suffix}")


def keep(
    state: State, file: UploadFile, kinds: Collection[Kind], owner: str, param: str, key: Callable[[Media], str]
) -> Upload:
    """The same under a key of the caller's choice, in place of what had it."""
    media = _checked(state, file, kinds, param)
    return Upload(_kept(state, file, key(media), owner), media)


def keep_new(
    state: State,
    file: UploadFile,
    kinds: Collection[Kind],
    owner: str,
    param: str,
    keys: Callable[[Media], Iterator[str]],
) -> Upload:
    """The same under the first of the keys that nothing has."""
    media = _checked(state, file, kinds, param)
    for key in keys(media):
        with suppress(Conflict):
            return Upload(_kept(state, file, key, owner, fresh=True), media)
    raise Conflict("文件名已被占用。", param=param)


def look(state: State, file: UploadFile, kind: Kind, param: str = "file") -> bytes:
    """The content of a file of this kind, checked as `take` does, of which nothing is kept. It blocks."""
    _checked(state, file, [kind], param)
    return file.file.read()


def _checked(state: State, file: UploadFile, kinds: Collection[Kind], param: str) -> Media:
    _check_size(state, file, max(kinds, key=state.settings.most_bytes), param)
    media = probe(file.file, kinds, param)
    _check_size(state, file, media.kind, param)
    return media


def _kept(state: State, file: UploadFile, key: str, owner: str, fresh: bool = False) -> Artifact:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        file.file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy, 1 << 20)
        return state.artifacts.upload(key, path, owner, fresh=fresh)


def folder_of(owner: str) -> str:
    """Where the uploads of an owner lie."""
    return f"uploads/{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def _check_size(state: State, file: UploadFile, kind: Kind, param: str) -> None:
    most = state.settings.most_bytes(kind)
    if (file.size or 0) > most:
        raise TooLarge(f"{WORDS[kind]}不能超过 {most >> 20} MB。", param=param)


async def _once(request: Request) -> None:
    names = [name for name, _ in (await request.form()).multi_items()]
    if twice := next((name for name in names if names.count(name) > 1 and not name.endswith("[]")), None):
        raise InvalidInput("只能有一个。", param=twice)


Once = Depends(_once)  # refuses a form that gives a field twice, of which FastAPI would take the last; not a list[]


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
