"""Trained avatars: the folders `models/<type>/<name>` of the store, their list and their details."""

from collections.abc import Sequence
from typing import NoReturn

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Known
from api.human.asked import MODELS
from api.human.dialect import clock
from api.human.uploads import FileInfo, info
from api.state import Here, State
from contracts.errors import InvalidInput, NotFound
from store.listing import newest_under
from store.names import key_of
from store.tables import ArtifactRow

FOLDER, ROOT = "models", "root"  # `root`: loose files of a type
lists, details = APIRouter(), APIRouter()


class Avatar(BaseModel):
    name: str
    type: str
    path: str
    model_files_count: int
    created_time: str
    description: str


class AvatarList(BaseModel):
    status: str = "success"
    models: list[Avatar]
    total_count: int


class AvatarDetails(BaseModel):
    name: str
    type: str
    path: str
    total_files: int
    total_size_mb: float
    created_time: str
    modified_time: str
    files: list[FileInfo]


class Detailed(BaseModel):
    status: str = "success"
    model_details: AvatarDetails


@lists.get("/api/available-models")
def list_available_models(state: Here, caller: Known) -> AvatarList:
    """Newest first."""
    named: dict[tuple[str, str], list[ArtifactRow]] = {}
    for row in newest_under(state.database, [f"{FOLDER}/{kind}" for kind in MODELS]):
        _, kind, *rest = row.key.split("/")
        named.setdefault((kind, rest[0] if len(rest) > 1 else ROOT), []).append(row)
    models = [_avatar(kind, name, rows) for (kind, name), rows in named.items()]
    return AvatarList(models=models, total_count=len(models))


@details.get("/api/model-details/{model_type}/{model_name}")
def model_details(model_type: str, model_name: str, state: Here, caller: Known) -> Detailed:
    rows = _rows(state, model_type, model_name)
    created, modified = min(row.created_ms for row in rows), max(row.created_ms for row in rows)
    return Detailed(
        model_details=AvatarDetails(
            name=model_name,
            type=model_type,
            path=_path(model_type, model_name),
            total_files=len(rows),
            total_size_mb=round(sum(row.size_bytes for row in rows) / (1 << 20), 2),
            created_time=clock(created),
            modified_time=clock(modified),
            files=[info(row) for row in rows],
        )
    )


def _rows(state: State, kind: str, name: str) -> Sequence[ArtifactRow]:
    if kind not in MODELS:
        raise InvalidInput(f"不支持的模型类型，应为 {'、'.join(MODELS)} 之一。", param="model_type")
    try:
        folder = key_of(_path(kind, name))
    except InvalidInput:
        _absent()
    found = newest_under(state.database, [folder])
    rows = [row for row in found if row.key.startswith(f"{folder}/")]  # SQLite compares without regard to case
    if name == ROOT:
        rows = [row for row in rows if row.key.count("/") == 2] or rows
    return rows or _absent()


def _avatar(kind: str, name: str, rows: Sequence[ArtifactRow]) -> Avatar:
    return Avatar(
        name=name,
        type=kind,
        path=_path(kind, name),
        model_files_count=len(rows),
        created_time=clock(min(row.created_ms for row in rows)),
        description=f"{kind} 模型 - 包含 {len(rows)} 个模型文件",
    )


def _path(kind: str, name: str) -> str:
    return f"{FOLDER}/{kind}" if name == ROOT else f"{FOLDER}/{kind}/{name}"


def _absent() -> NoReturn:
    raise NotFound("模型不存在。", param="model_name")
