"""Avatars as the documents list them: what there is, what it is made of; and taking one's own away."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Known
from api.human.dialect import clock
from api.human.folders import MODELS, SHIPPED, File, Folder, find_folder, folders, own_keys
from api.human.uploads import FileInfo, info_of
from api.state import Here, State
from contracts.errors import Forbidden, InvalidInput

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


class Removed(BaseModel):
    status: str = "success"
    message: str


@lists.get("/api/available-models")
def list_available_models(state: Here, caller: Known) -> AvatarList:
    """Newest first, those that ship last."""
    models = [_avatar(state, folder) for folder in folders(state, caller)]
    return AvatarList(models=models, total_count=len(models))


@details.get("/api/model-details/{model_type}/{model_name}")
def model_details(model_type: str, model_name: str, state: Here, caller: Known) -> Detailed:
    _check_type(model_type)
    folder = find_folder(state, caller, model_type, model_name, "model_name")
    return Detailed(
        model_details=AvatarDetails(
            name=folder.name,
            type=folder.model,
            path=folder.path,
            total_files=len(folder.files),
            total_size_mb=round(sum(file.size_bytes for file in folder.files) / (1 << 20), 2),
            created_time=clock(folder.created_ms),
            modified_time=clock(folder.modified_ms),
            files=[_info(file) for file in folder.files],
        )
    )


@details.delete("/api/model-details/{model_type}/{model_name}")
def remove_model(model_type: str, model_name: str, state: Here, caller: Known) -> Removed:
    """One's own, or what a training that has failed has left; replicas forget it within seconds."""
    _check_type(model_type)
    keys = own_keys(state, caller, model_type, model_name)
    if not keys:
        find_folder(state, caller, model_type, model_name, "model_name")
        raise Forbidden("共享和内置的模型不能删除。", param="model_name")
    for key in keys:
        state.artifacts.delete(key)
    return Removed(message="模型已删除")


def _avatar(state: State, folder: Folder) -> Avatar:
    notes = ["内置的合成人物"] if folder.name == SHIPPED else []
    if not state.engines.avatars:
        notes.append("本集群没有启用数字人模型，暂不能使用")
    count = len(folder.files)
    return Avatar(
        name=folder.name,
        type=folder.model,
        path=folder.path,
        model_files_count=count,
        created_time=clock(folder.created_ms),
        description="，".join([f"{folder.model} 模型 - 包含 {count} 个模型文件", *notes]),
    )


def _check_type(model_type: str) -> None:
    if model_type not in MODELS:
        raise InvalidInput(f"不支持的模型类型，应为 {'、'.join(MODELS)} 之一。", param="model_type")


def _info(file: File) -> FileInfo:
    return info_of(file.path, file.size_bytes, file.created_ms)
