"""Recordings written down, and texts said aloud."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Response, UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.auth import Known
from api.callbacks import CallbackUrl
from api.limits import body_limit
from api.media.asked import MULTIPART, Body, Kept, ModelId, queue, queue_about
from api.media.results import Labelled, Progress, Reached, Why, tell_model
from api.media.tasks import STATUS, find_task, task_id_of
from api.media.voices import Language
from api.recordings import KINDS, check_recording
from api.state import Here
from api.uploads import FormRoute, Once, aside
from api.voices import check_language, speaking
from api.waiting import ENDED, PrefersAsync, awaited, finished
from contracts.jobs import JobView
from contracts.media import Media
from contracts.platform import OUTPUTS, SPEECH, TRANSCRIPTION, TranscribeTask
from contracts.tasks import SpeechTask
from contracts.transcription import Transcript
from graphs.split import readable

router = APIRouter(prefix="/api/audio", route_class=FormRoute)
LONGEST = 4_096  # characters


def _spoken(value: str) -> str:
    if not readable(value):
        raise ValueError("没有可以读出的文字")
    return value


class Recording(BaseModel):
    model_config = ConfigDict(extra="forbid")

    audio: UploadFile
    language: Language = ""
    model: ModelId = ""


class Words(Body):
    text: Annotated[str, Field(min_length=1, max_length=LONGEST), Kept, AfterValidator(_spoken)]
    voice: Annotated[str, Field(max_length=128), Kept] = ""
    language: Language = ""
    speed: float = Field(1.0, ge=0.25, le=4, allow_inf_nan=False, description="Ratio to the natural pace.")
    pitch: float = Field(0.0, ge=-12, le=12, allow_inf_nan=False, description="Semitones from the voice's own.")


class Phrase(BaseModel):
    """Times are seconds from the start of the recording."""

    id: int
    start: float
    end: float
    text: str


class Transcribed(Reached):
    """`message` and `progress`, which is told on the way, are left out unless they are set: `exclude_unset`."""

    text: str
    language: str
    duration: float
    segments: list[Phrase]
    progress: Progress = 0
    message: Why = ""


class Synthesized(Reached):
    """The same."""

    audio_url: str | None
    duration: float
    message: Why = ""


@router.post("/transcribe", response_model_exclude_unset=True, dependencies=[Once])
@body_limit("video")
async def transcribe(
    recording: Annotated[Recording, MULTIPART],
    state: Here,
    caller: Known,
    callback_url: CallbackUrl,
    respond_async: PrefersAsync,
    response: Response,
) -> Transcribed:
    """A job inside: `Prefer: respond-async` has its id at once, and whoever has waited too long gets it with 202."""
    model = state.models.resolve("transcription", recording.model)
    check_language(model, recording.language)
    tell_model(response, recording.model, model.id)

    def task(key: str, media: Media) -> TranscribeTask:
        check_recording(media, "audio")
        return TranscribeTask(model=model.id, recording=key, language=recording.language)

    with state.in_flight.one():
        about = partial(queue_about, what="audio", kinds=KINDS)
        job = await aside(about, state, caller, TRANSCRIPTION, recording.audio, task, callback_url)
        if respond_async:
            view = await asyncio.to_thread(state.jobs.records.get, job.id, job.owner)
        else:
            view = await awaited(state, job)
    response.status_code = 202 if respond_async or view.state not in ENDED else 200
    return _transcribed(view)


@router.post("/synthesize", response_model_exclude_unset=True, dependencies=[Labelled])
async def synthesize(
    words: Words,
    state: Here,
    caller: Known,
    callback_url: CallbackUrl,
    respond_async: PrefersAsync,
    response: Response,
) -> Synthesized:
    """The same."""
    with state.in_flight.one():
        speaks = await asyncio.to_thread(speaking, state, caller, words.voice, words.language, words.text)
        if speaks.stands_in:
            tell_model(response, words.voice, speaks.model.id)
        task = SpeechTask(
            model=speaks.model.id,
            voice=speaks.voice,
            sample=speaks.sample,
            lent=True,
            name=f"{OUTPUTS}/audio/speech",
            **words.model_dump(exclude={"voice"}),
        )
        job = await asyncio.to_thread(queue, state, caller, SPEECH, task, callback_url)
        if respond_async:
            response.status_code = 202
            return _synthesized(await asyncio.to_thread(state.jobs.records.get, job.id, job.owner))
        return _synthesized(await finished(state, job))


@router.get("/status/{task_id}", response_model_exclude_unset=True)
def audio_status(task_id: str, state: Here, caller: Known) -> Transcribed | Synthesized:
    job = find_task(state, caller, task_id, TRANSCRIPTION, SPEECH)
    return _transcribed(job) if job.kind == TRANSCRIPTION else _synthesized(job)


def _transcribed(job: JobView) -> Transcribed:
    """Without text until it is done."""
    told = Transcript.model_validate(job.result) if job.state == "completed" else Transcript(text="")
    phrases = [
        Phrase(id=number, start=round(each.start_s, 2), end=round(each.end_s, 2), text=each.text)
        for number, each in enumerate(told.segments)
    ]
    return Transcribed(
        text=told.text,
        language=told.language,
        duration=round(told.duration_s, 2),
        segments=phrases,
        **_reached(job),
        **({} if job.state in ENDED else {"progress": int(100 * job.progress)}),
    )


def _synthesized(job: JobView) -> Synthesized:
    done = job.state == "completed"
    url = f"/{job.result['resources'][0]}" if done else None
    return Synthesized(audio_url=url, duration=round(job.result["duration_s"], 2) if done else 0.0, **_reached(job))


def _reached(job: JobView) -> dict[str, Any]:
    status = STATUS[job.state]
    reached = {"task_id": task_id_of(job.kind, job.id), "status": status}
    return reached | ({"message": job.error} if status == "failed" else {})
