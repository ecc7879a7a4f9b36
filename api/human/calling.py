"""A form that becomes a job: who called, in which document's words, and the wait for its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from api.auth import Known
from api.callbacks import CallbackUrl
from api.callers import Caller
from api.files import GENERATED
from api.human.dialect import Dialect, Spoken
from api.state import Here, State
from api.uploads import aside
from api.waiting import PrefersAsync, finished
from contracts.errors import ServiceError
from contracts.jobs import Job, JobView
from jobs.jobs import new_id

PORTRAIT = "portrait"  # what a film shows where no avatar is served


class Done(BaseModel):
    """What all forms answer, beside fields of their own."""

    status: str = "success"
    message: str
    task_id: str


class Filmed(Done):
    video_path: str | None = None


class Answered(Filmed):
    response: str | None = None


class Voiced(Done):
    speaker_id: str | None = None
    cloned_audio_path: str | None = None


@dataclass(frozen=True)
class Call:
    state: State
    caller: Caller
    dialect: Dialect
    respond_async: bool
    callback_url: str

    async def perform(
        self, kind: str, task: Callable[[], BaseModel], undo: Callable[[], None] = lambda: None
    ) -> tuple[Job, JobView | None]:
        """Check what is asked (`task`, in a thread), queue it, and wait for its end, unless the caller will not.

        `undo` takes back what `task` has kept, when it is not queued after all.
        """
        with self.state.in_flight.one():
            job = await aside(self._queue, kind, task, undo)
            return job, None if self.respond_async else await finished(self.state, job)

    def _queue(self, kind: str, task: Callable[[], BaseModel], undo: Callable[[], None]) -> Job:
        try:
            job = Job(id=new_id(), kind=kind, owner=self.caller.owner, params=task().model_dump())
            self.state.jobs.submit(job, f"human/{job.id}", callback_url=self.callback_url)
        except (ServiceError, SQLAlchemyError):
            undo()
            raise
        return job

    def path(self, view: JobView) -> str:
        """Of the file that a job has made."""
        return self.dialect.path(view.result["resources"][0])


async def _call(
    state: Here, caller: Known, dialect: Spoken, respond_async: PrefersAsync, callback_url: CallbackUrl
) -> Call:
    return Call(state, caller, dialect, respond_async, callback_url)


Called = Annotated[Call, Depends(_call)]


def accepted(job: Job) -> JSONResponse:
    return JSONResponse(Done(message="任务已提交", task_id=job.id).model_dump(), 202)


def answer(done: Done, model: str = "") -> JSONResponse:
    """What a job has made; `model` is what made it in place of the one that was asked."""
    headers: dict[str, Any] = GENERATED | ({"X-Troupe-Model": model} if model else {})
    return JSONResponse(done.model_dump(exclude_none=True), headers=headers)


def said(message: str, *notes: str) -> str:
    """With what its reader should know."""
    told = "；".join(note for note in notes if note)
    return f"{message}（{told}）" if told else message


def instead(view: JobView) -> tuple[str, str]:
    """What made a film in place of an avatar model, and how to say so; both empty: an avatar model has."""
    if view.result.get("rendered") != PORTRAIT:
        return "", ""
    return PORTRAIT, f"本集群没有启用 {view.params['model']} 数字人模型，画面为静态肖像"
