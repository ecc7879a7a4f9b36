"""What the routes that make pictures, films and sounds are asked, and the jobs that this becomes."""

import unicodedata
from collections.abc import Callable, Collection
from typing import Annotated, Any

from fastapi import Form, UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.exc import SQLAlchemyError

from api.callers import Caller
from api.state import State
from api.uploads import take
from contracts.errors import ServiceError
from contracts.jobs import Job
from contracts.media import Kind, Media
from contracts.platform import ClipTask, PictureTask, TranscribeTask
from contracts.tasks import SpeechTask
from jobs.jobs import new_id

LONGEST = 2_000  # characters
MULTIPART = Form(media_type="multipart/form-data")
Task = PictureTask | ClipTask | TranscribeTask | SpeechTask


def _kept(value: str) -> str:
    if "\0" in value:  # no database keeps it
        raise ValueError("含有无效字符")
    return value


def readable(value: str) -> str:
    """Of a validator: a text that is one."""
    if not any(unicodedata.category(character)[0] in "LNS" for character in value):  # letters, numbers, symbols
        raise ValueError("没有可读的文字")
    return value


Kept = AfterValidator(_kept)
Text = Annotated[str, Field(max_length=LONGEST), Kept]
Prompt = Annotated[Text, Field(min_length=1), AfterValidator(readable)]
ModelId = Annotated[str, Field(max_length=128)]
Count = Annotated[int, Field(ge=1, le=200)]
Guidance = Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Frames = Annotated[int, Field(ge=1, le=600)]
Rate = Annotated[int, Field(ge=1, le=60, description="Frames a second.")]


class Body(BaseModel):
    """JSON: every value of its own type, and no field that nobody reads. One that is null is as good as none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None}


class Sent(BaseModel):
    """A form about a picture. A field that is left blank is as good as none."""

    model_config = ConfigDict(extra="forbid")

    image: UploadFile

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, form: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in form.items() if value != ""}


def queue(state: State, caller: Caller, kind: str, task: Task, callback_url: str) -> Job:
    job = Job(id=new_id(), kind=kind, owner=caller.owner, params=task.model_dump())
    state.jobs.submit(job, f"media/{job.id}", callback_url=callback_url)
    return job


def queue_about(
    state: State,
    caller: Caller,
    kind: str,
    file: UploadFile,
    task: Callable[[str, Media], Task],
    callback_url: str,
    *,
    what: Kind = "image",
    kinds: Collection[Kind] = (),
) -> Job:
    """The same about an upload, in a field that is named for `what` it is; `kinds`: what else it may be. `task` gets
    its key; when it is refused, nothing is kept. It blocks."""
    given = take(state, file, [what, *kinds], caller.owner, what)
    try:
        return queue(state, caller, kind, task(given.artifact.key, given.media), callback_url)
    except (ServiceError, SQLAlchemyError):
        state.artifacts.delete(given.artifact.key)
        raise
