"""What a job of the caller's has made, how, and the same once more."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from api.auth import Known
from api.callbacks import CallbackUrl
from api.state import Here
from api.waiting import ENDED
from contracts.errors import Conflict, Unavailable
from contracts.jobs import Job, JobAnswer, JobView
from contracts.platform import IMAGE, VIDEO
from graphs.story import seed_of
from jobs.jobs import new_id
from store.tables import ArtifactRow

router = APIRouter(prefix="/v1/jobs")
AGAIN = frozenset({IMAGE, VIDEO})  # stories and their films have a redo of their own


class Made(BaseModel):
    """`parameters`: all that the model was asked, its seed and revision among it."""

    key: str
    media_type: str
    size_bytes: int
    sha256: str
    model: str
    prompt: str
    parameters: dict[str, Any]
    created_ms: int


class Manifest(BaseModel):
    data: list[Made]


@router.get("/{job_id}/manifest")
def manifest(job_id: str, state: Here, caller: Known) -> Manifest:
    """Of what it made for people, and is still there."""
    job = state.jobs.records.get(job_id, *caller.owners)
    theirs = select(ArtifactRow).where(ArtifactRow.job_id == job.id, ArtifactRow.key.not_like("%/.%"))
    with state.database.session() as session:
        rows = session.scalars(theirs.order_by(ArtifactRow.created_ms)).all()
        return Manifest(data=[Made.model_validate(row, from_attributes=True) for row in rows])


@router.post("/{job_id}/again", status_code=202)
def again(job_id: str, state: Here, caller: Known, callback_url: CallbackUrl) -> JobAnswer:
    """Queue a picture or film once more: the same model, seed and parameters, so on the same device the same pixels."""
    old = state.jobs.records.get(job_id, *caller.owners)
    job = Job(id=new_id(), kind=old.kind, owner=caller.owner, params=_asked(old, list(state.models.served)))
    state.jobs.submit(job, f"media/{job.id}", callback_url=callback_url)
    return JobAnswer.of(state.jobs.records.get(job.id, caller.owner))


def _asked(old: JobView, served: list[str]) -> dict[str, Any]:
    if old.kind not in AGAIN:
        raise Conflict("这类任务不能这样再做一次。", param="job_id")
    if old.state not in ENDED:
        raise Conflict("任务还没有结束。", param="job_id")
    if old.params["picture"]:
        raise Conflict("上传的图片在任务结束时已删除，请重新上传。", param="job_id")
    if old.params["model"] not in served:
        raise Unavailable(f"模型 {old.params['model']} 没有启用，请在集群配置的 models 中启用它。")
    seed = old.params.get("seed")
    return old.params | ({"seed": seed_of(old)} if seed is None else {})
