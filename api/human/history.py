"""What a caller has had made, of four types: jobs, told in the words of the forms."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.auth import Known
from api.human.dialect import Dialect, Spoken, clock
from api.human.paths import ROOTS, told
from api.state import Here
from contracts.errors import NotFound
from contracts.human import CHAT, CLONE, SPEAK, TRAIN, VIDEO
from contracts.jobs import JobView
from store.voices import Voices

router = APIRouter()
MOST = 200
KINDS = {
    "video_generation": (VIDEO,),
    "model_training": (TRAIN,),
    "audio_clone": (CLONE, SPEAK),
    "chat_system": (CHAT,),
}
FIELDS = {  # of the forms, by the names of jobs' parameters
    VIDEO: {
        "model": "model_name",
        "avatar": "model_param",
        "text": "target_text",
        "audio": "ref_audio",
        "sample": "ref_audio_id",
    },
    TRAIN: {
        "model": "model_choice",
        "film": "ref_video",
        "epochs": "epoch",
        "parameters": "custom_params",
        "gpu": "gpu_choice",
    },
    CLONE: {"voice": "audio_id", "consent": "consent"},
    SPEAK: {"text": "generate_text", "sample": "audio_id"},
    CHAT: {"model": "model_name", "avatar": "model_param", "sample": "ref_audio_id", "chat_model": "api_choice"},
}
KEYS = ("audio", "sample", "film", "avatar")  # of those, the names of files
FILES = {VIDEO: "video_path", CHAT: "video_path", SPEAK: "cloned_audio_path"}


class Record(BaseModel):
    """`status` is queued, running, completed or failed; a cancelled job has failed."""

    id: str
    timestamp: str
    parameters: dict[str, Any]
    result: dict[str, Any]
    status: str


class History(BaseModel):
    status: str = "success"
    history: list[Record]
    total_count: int


@router.get("/api/history/{history_type}", response_model=History | list[Record])
def history(history_type: str, state: Here, caller: Known, dialect: Spoken) -> JSONResponse:
    """Newest first. v1 has the bare list, and an empty one of what it does not know."""
    kinds = KINDS.get(history_type)
    if kinds is None and dialect.union:
        raise NotFound("不支持的历史类型。", param="history_type")
    jobs = state.jobs.records.of_kinds(kinds or (), caller.owners, MOST)
    names = {row.sample: row.name for row in Voices(state.database).all(caller.owners)}
    records = [_record(job, names, dialect) for job in jobs]
    if not dialect.union:
        return JSONResponse([record.model_dump() for record in records])
    return JSONResponse(History(history=records, total_count=len(records)).model_dump())


def _record(job: JobView, names: Mapping[str, str], dialect: Dialect) -> Record:
    return Record(
        id=job.params.get("task_id") or job.id,
        timestamp=clock(job.created_ms),
        parameters=_parameters(job, names),
        result=_result(job, dialect),
        status="failed" if job.state == "cancelled" else job.state,
    )


def _parameters(job: JobView, names: Mapping[str, str]) -> dict[str, Any]:
    asked = {form: (name, job.params.get(name)) for name, form in FIELDS[job.kind].items()}
    fields = {form: _shown(value, names) if name in KEYS and value else value for form, (name, value) in asked.items()}
    return {form: value for form, value in fields.items() if value}


def _shown(key: str, names: Mapping[str, str]) -> str:
    """A voice by its name, a file by its documented path; a copy that only a job has had is told of as nothing."""
    shown = names.get(key, told(key))
    return shown if key in names or shown.startswith(ROOTS) else ""


def _result(job: JobView, dialect: Dialect) -> dict[str, Any]:
    if job.error:
        return {"message": job.error}
    if job.state != "completed":
        return {}
    made = {name: job.result[name] for name in ("heard", "reply", "voice", "rendered") if name in job.result}
    if job.kind == TRAIN:
        return {"model_param": told(str(job.params["output"]))}
    file = FILES.get(job.kind)
    return made | ({file: dialect.path(job.result["resources"][0])} if file else {})
