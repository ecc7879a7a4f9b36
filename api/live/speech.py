"""Speech in a given voice: the models that can, and a text said by one of them."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller, scheme_of
from api.files import GENERATED
from api.limits import body_limit
from api.live.envelope import Envelope, ok
from api.live.models import Choices, choices
from api.live.text import Aloud
from api.state import Here, State
from api.uploads import FormRoute, aside, take
from api.voices import check_length
from api.waiting import PrefersAsync, finished
from contracts.errors import ServiceError
from contracts.jobs import Job
from contracts.tasks import SPEECH, SpeechTask
from jobs.jobs import new_id

router = APIRouter(prefix="/api", route_class=FormRoute)
LONGEST = 2_000  # characters


class Spoken(BaseModel):
    audioUrl: str | None
    task_id: str


@router.get("/models/tts")
def list_voices_models(state: Here) -> Envelope[Choices]:
    """Those that speak in a given voice."""
    specs = [spec for spec in state.models.known.values() if spec.capability == "speech" and spec.clones]
    return ok("获取成功", choices(state, specs))


@router.post("/tts/generate-cloned", response_model=Envelope[Spoken])
@body_limit("audio")
async def generate_cloned(
    text: Annotated[str, Form(min_length=1, max_length=LONGEST), Aloud],
    voiceSample: Annotated[UploadFile, File()],
    state: Here,
    caller: Known,
    request: Request,
    respond_async: PrefersAsync,
    callback_url: CallbackUrl,
    modelId: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """A job inside: `Prefer: respond-async` has its id at once, and so has who leaves."""
    model = state.models.resolve("speech", modelId, "modelId", clones=True)
    with state.in_flight.one():
        job = await aside(_queue, state, caller, model.id, text, voiceSample, callback_url)
        if respond_async:
            return _answer("任务已提交", None, job.id, 202)
        view = await finished(state, job)
    instead = model.id if modelId not in ("", model.id) else ""
    answer = _answer(_said(instead), _url(request, view.result["resources"][0]), job.id)
    if instead:
        answer.headers["X-Troupe-Model"] = instead
    return answer


def _queue(state: State, caller: Caller, model: str, text: str, sample: UploadFile, callback_url: str) -> Job:
    upload = take(state, sample, ["audio"], caller.owner, "voiceSample")
    task = SpeechTask(model=model, text=text, sample=upload.artifact.key)
    job = Job(id=new_id(), kind=SPEECH, owner=caller.owner, params=task.model_dump())
    try:
        check_length(upload.media, "voiceSample")
        state.jobs.submit(job, f"speech/{job.id}", callback_url=callback_url)
    except (ServiceError, SQLAlchemyError):
        state.artifacts.delete(upload.artifact.key)
        raise
    return job


def _said(instead: str) -> str:
    return f"语音生成成功（由 {instead} 合成）" if instead else "语音生成成功"


def _url(request: Request, key: str) -> str:
    """At the host that was asked, as the caller's browser knows it."""
    return str(request.url.replace(scheme=scheme_of(request), path=f"/{key}", query="", fragment=""))


def _answer(msg: str, url: str | None, job_id: str, status: int = 200) -> JSONResponse:
    return JSONResponse(ok(msg, Spoken(audioUrl=url, task_id=job_id)).model_dump(), status, GENERATED)
