"""Datasets to train with: a caller's own, which it brings, and those that operators have laid into the store.

A zip is named like the folder that is in it: `my_dataset.zip` is `/datasets/my_dataset`.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel
from sqlalchemy import delete

from api.auth import Known
from api.callers import Caller
from api.limits import DEFAULT_BYTES, MIB, body_limit
from api.media.trainings import going
from api.naming import candidates, safe_stem
from api.paths import home, within
from api.state import Here, State
from api.uploads import FormRoute, Once, aside
from contracts.artifacts import Artifact
from contracts.errors import Conflict, NotFound, TooLarge
from contracts.platform import DATASETS
from store.database import in_turn
from store.datasets import ARCHIVE, FORMATS, check
from store.folders import Laid, children, look
from store.listing import newest_under
from store.tables import ArtifactRow

router = APIRouter(prefix="/api/datasets", route_class=FormRoute)
MOST_BYTES = 200 * MIB
LONGEST_NAME = 120
FOLDER = "folder"


class Dataset(BaseModel):
    """`format`: jsonl, json, csv, txt, zip or folder; `path`: what trainings name it by; `shared`: of the operators."""

    name: str
    path: str
    format: str
    size_bytes: int
    shared: bool


class Found(BaseModel):
    """`sha256`: of the file; of what operators have laid there it is not known, and empty."""

    key: str
    format: str
    sha256: str = ""


class Removed(BaseModel):
    success: bool = True
    name: str


@router.post("", dependencies=[Once])
@body_limit(MOST_BYTES + DEFAULT_BYTES)
async def upload_dataset(
    file: Annotated[UploadFile, File()],
    state: Here,
    caller: Known,
    name: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
) -> Dataset:
    """Without a `name` it has the file's, with a number where that is taken."""
    with state.in_flight.one():
        return await aside(_take, state, caller, file, name)


@router.get("")
def list_datasets(state: Here, caller: Known) -> list[Dataset]:
    """The caller's own, newest first, then what everybody may use."""
    rows = newest_under(state.database, [_folder(owner) for owner in caller.owners])
    return [*map(_own, rows), *map(_shared, children(state.settings, DATASETS))]


@router.delete("/{name}")
def delete_dataset(name: str, state: Here, caller: Known) -> Removed:
    """One of the caller's own, with which nobody is training: what was brought without a cookie, several may use."""
    kept = _own_of(state, caller, within(DATASETS, f"{DATASETS}/{name}", "name"))
    if kept is None:
        raise NotFound("数据集不存在。", param="name")
    key = kept.key
    with state.database.lock(key) as begin:  # who brings the same name meanwhile would lose the file, not its row
        with begin() as session:
            in_turn(session, "trainings")
            session.execute(delete(ArtifactRow).where(ArtifactRow.key == key))  # so that none begins with it now
            if any(job.params.get("dataset") == key for job in going(session)):
                raise Conflict("有训练任务正在使用这个数据集。", param="name")
        state.artifacts.delete(key)
    return Removed(name=_name(key))


def find_dataset(state: State, caller: Caller, path: str, param: str) -> Found:
    """What a path names for this caller; its own goes before what everybody may use. None: `NotFound`."""
    name = within(DATASETS, path, param)
    if kept := _own_of(state, caller, name):
        return Found(key=kept.key, format=_format(kept.key), sha256=kept.sha256)
    for key in (f"{DATASETS}/{name}", f"{DATASETS}/{name}{ARCHIVE}"):
        if laid := look(state.settings, key):
            return Found(key=key, format=FOLDER if laid.is_folder else _format(key))
    raise NotFound("数据集不存在。", param=param)


def _own_of(state: State, caller: Caller, name: str) -> Artifact | None:
    places = [f"{_folder(owner)}/{each}" for owner in caller.owners for each in (name, f"{name}{ARCHIVE}")]
    for key in places:
        with suppress(NotFound):
            return state.artifacts.find(key)
    return None


def _take(state: State, caller: Caller, file: UploadFile, name: str) -> Dataset:
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge(f"数据集不能超过 {MOST_BYTES // MIB} MB。", param="file")
    suffix = check(file.file, file.filename or "", "file")
    stem = _stem(name or file.filename or "")
    for key in _keys(_folder(caller.owner), stem, suffix, numbered=not name):
        with suppress(Conflict):
            _check_free(state, key)  # before anything is copied: hundreds may have been brought under one name
            return _keep(state, caller, file, key)
    raise Conflict("已有同名的数据集。", param="name")


def _keys(folder: str, stem: str, suffix: str, numbered: bool) -> Iterator[str]:
    yield from candidates(f"{folder}/{stem}", suffix) if numbered else [f"{folder}/{stem}{suffix}"]


def _keep(state: State, caller: Caller, file: UploadFile, key: str) -> Dataset:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "file"
        file.file.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy, MIB)
        kept = state.artifacts.upload(key, path, caller.owner, fresh=True)
    return _told(_name(key), _format(key), kept.size_bytes, shared=False)


def _check_free(state: State, key: str) -> None:
    with suppress(NotFound):
        state.artifacts.find(key)
        raise Conflict("已有同名的数据集。", param="name")


def _stem(name: str) -> str:
    """Without what it has of suffixes: a zip must not be named like a text."""
    stem = safe_stem(name + ".", "dataset")
    while PurePosixPath(stem).suffix.lower() in FORMATS:
        stem = PurePosixPath(stem).stem
    return stem.strip("._ ") or "dataset"


def _folder(owner: str) -> str:
    return f"{home(owner)}/{DATASETS}"


def _name(key: str) -> str:
    """The name that it is told by."""
    return PurePosixPath(key).name.removesuffix(ARCHIVE)


def _format(key: str) -> str:
    return PurePosixPath(key).suffix.lower().removeprefix(".")


def _own(row: ArtifactRow) -> Dataset:
    return _told(_name(row.key), _format(row.key), row.size_bytes, shared=False)


def _shared(laid: Laid) -> Dataset:
    return _told(_name(laid.name), FOLDER if laid.is_folder else _format(laid.name), laid.size_bytes, shared=True)


def _told(name: str, form: str, size_bytes: int, shared: bool) -> Dataset:
    return Dataset(name=name, path=f"/{DATASETS}/{name}", format=form, size_bytes=size_bytes, shared=shared)
