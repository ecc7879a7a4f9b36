"""Files that callers bring: reference audio, training films, the last recording."""

import uuid
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel

from api.auth import Known
from api.callers import Caller
from api.human.dialect import clock
from api.human.paths import PROJECT, RECORDING, RECORDINGS, home, told
from api.limits import body_limit
from api.naming import candidates, safe_stem
from api.state import Here, State
from api.uploads import FormRoute, aside, keep, keep_new
from contracts.human import REF_VIDEOS, REF_VOICES
from contracts.media import Kind, Media
from store.listing import newest_under
from store.tables import ArtifactRow

router = APIRouter(route_class=FormRoute)
recording = APIRouter(route_class=FormRoute)
lists = APIRouter()


class Taken(BaseModel):
    status: str = "success"
    message: str
    filename: str
    relative_path: str
    original_name: str


class Saved(BaseModel):
    status: str = "success"
    message: str
    path: str


class FileInfo(BaseModel):
    filename: str
    size: int
    size_mb: float
    created_time: str
    modified_time: str
    file_type: str
    relative_path: str


class FileList(BaseModel):
    status: str = "success"
    files: list[FileInfo]
    total_count: int


@router.post("/api/upload-reference-audio")
@body_limit("audio")
async def upload_reference_audio(audio: Annotated[UploadFile, File()], state: Here, caller: Known) -> Taken:
    """The content decides the suffix; a name that is taken gets a number."""
    return await aside(_take, state, caller, audio, "audio", REF_VOICES)


@router.post("/api/upload-training-video")
@body_limit("video")
async def upload_training_video(video: Annotated[UploadFile, File()], state: Here, caller: Known) -> Taken:
    return await aside(_take, state, caller, video, "video", REF_VIDEOS)


@recording.post("/save_audio")
@body_limit("audio")
async def save_audio(audio: Annotated[UploadFile, File()], state: Here, caller: Known) -> Saved:
    """The caller's last recording; it takes the place of the one before."""
    await aside(_replace, state, caller, audio)
    return Saved(message="音频保存成功", path=f"{PROJECT}{RECORDING}")


def _replace(state: State, caller: Caller, audio: UploadFile) -> None:
    folder = f"{home(caller.owner)}/{RECORDINGS}"
    keep(state, audio, ["audio"], caller.owner, "audio", lambda media: f"{folder}/{uuid.uuid4().hex}{media.suffix}")
    for older in newest_under(state.database, [folder])[1:]:  # keys are never used again: it deletes nothing newer
        state.artifacts.delete(older.key)


@lists.get("/api/reference-audios")
def list_reference_audios(state: Here, caller: Known) -> FileList:
    """Newest first."""
    return _listed(state, caller, REF_VOICES)


@lists.get("/api/training-videos")
def list_training_videos(state: Here, caller: Known) -> FileList:
    """Newest first."""
    return _listed(state, caller, REF_VIDEOS)


def _take(state: State, caller: Caller, file: UploadFile, kind: Kind, folder: str) -> Taken:
    original = file.filename or ""
    place, stem = f"{home(caller.owner)}/{folder}", safe_stem(original, kind)

    def free(media: Media) -> Iterator[str]:
        taken = {row.key for row in newest_under(state.database, [place])}
        return (key for key in candidates(f"{place}/{stem}", media.suffix) if key not in taken)

    kept = keep_new(state, file, [kind], caller.owner, kind, free).artifact.key
    name = PurePosixPath(kept).name
    said = "音频上传成功" if kind == "audio" else "视频上传成功"
    return Taken(message=said, filename=name, relative_path=told(kept), original_name=original)


def _listed(state: State, caller: Caller, folder: str) -> FileList:
    rows = newest_under(state.database, [f"{home(owner)}/{folder}" for owner in caller.owners])
    return FileList(files=[info(row) for row in rows], total_count=len(rows))


def info(row: ArtifactRow) -> FileInfo:
    """A file as lists tell of it."""
    return info_of(told(row.key), row.size_bytes, row.created_ms)


def info_of(path: str, size_bytes: int, created_ms: int) -> FileInfo:
    """The same of a documented path."""
    name = PurePosixPath(path)
    return FileInfo(
        filename=name.name,
        size=size_bytes,
        size_mb=round(size_bytes / (1 << 20), 2),
        created_time=clock(created_ms),
        modified_time=clock(created_ms),
        file_type=name.suffix.removeprefix(".").upper(),
        relative_path=path,
    )
