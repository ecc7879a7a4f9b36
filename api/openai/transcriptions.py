"""Recordings written down while the caller waits. Whoever leaves ends the model's work; the recording is not kept."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.limits import body_limit
from api.media.asked import MULTIPART, Kept, ModelId
from api.media.results import tell_model
from api.media.voices import Language
from api.openai.client import Client
from api.openai.models import find_model
from api.openai.transcript import FORMATS, Form, Wanted
from api.present import while_present
from api.recordings import KINDS, check_recording
from api.state import Here, State
from api.uploads import FormRoute, Once, aside, take
from api.voices import check_language
from contracts.catalog import ModelSpec
from contracts.errors import Deadline, InvalidInput, ServiceError
from contracts.transcription import LONGEST_PROMPT, Transcript, TranscriptionRequest
from graphs.hearing import heard

router = APIRouter(prefix="/v1/audio", route_class=FormRoute)
OPENAIS = "whisper-1"  # what its clients ask for when nobody tells them another name: the default answers


def _single(value: bool) -> bool:
    if value:
        raise ValueError("不支持边识别边返回")
    return value


class NewTranscription(BaseModel):
    """A field that is left blank is as good as none."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile
    model: ModelId = ""
    language: Language = ""
    prompt: Annotated[str, Field(max_length=LONGEST_PROMPT), Kept] = ""
    response_format: Form = "json"
    temperature: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    timestamp_granularities: list[Literal["word", "segment"]] = Field([], alias="timestamp_granularities[]")
    chunking_strategy: Literal["", "auto"] = ""
    stream: Annotated[bool, AfterValidator(_single)] = False

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, form: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in form.items() if value != ""}

    def wanted(self) -> Wanted:
        """Of times only what was asked for, which only one form can tell."""
        if self.timestamp_granularities and self.response_format != "verbose_json":
            raise InvalidInput("只有 verbose_json 可以指定时间粒度。", param="timestamp_granularities")
        return Wanted(self.response_format, frozenset(self.timestamp_granularities or ["segment"]))


@router.post("/transcriptions", dependencies=[Once])
@body_limit("video")
async def transcribe(
    asked: Annotated[NewTranscription, MULTIPART], state: Here, caller: Client, request: Request
) -> Response:
    """`X-Troupe-Model`: the default in another's place."""
    wanted, name = asked.wanted(), asked.model
    model = find_model(state, "transcription", "" if name == OPENAIS else name)
    check_language(model, asked.language)
    with state.in_flight.one():
        given = await aside(take, state, asked.file, KINDS, caller.owner, "file")
        try:
            check_recording(given.media, "file")
            told = await while_present(request, _told(state, model, _request(asked, given.artifact.key, wanted)))
        finally:
            with suppress(ServiceError):  # it is found later (`jobs.expiry`)
                await asyncio.to_thread(state.artifacts.delete, given.artifact.key)
    response = FORMATS[wanted.form](told, wanted)
    tell_model(response, name, model.id)
    return response


def _request(asked: NewTranscription, key: str, wanted: Wanted) -> TranscriptionRequest:
    return TranscriptionRequest(
        recording=key,
        language=asked.language,
        prompt=asked.prompt,
        words="word" in wanted.times,
        temperature=asked.temperature,
    )


async def _told(state: State, model: ModelSpec, request: TranscriptionRequest) -> Transcript:
    try:
        async with asyncio.timeout(state.settings.sync_s):
            return await heard(state.engines.transcriptions[model.id], request)
    except TimeoutError:
        raise Deadline("处理时间过长，请用 /api/audio/transcribe，它会作为任务继续。") from None
