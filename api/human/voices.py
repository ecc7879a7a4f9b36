"""Voices: a recording kept as one, a text said in one, the list of them."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.auth import Known
from api.human.asked import check_text, check_voice, copied, fetched, forget, speech_model
from api.human.calling import Call, Called, Voiced, accepted, answer
from api.human.dialect import clock
from api.human.paths import documented, find_media, told
from api.state import Here
from api.uploads import FormRoute
from contracts.errors import InvalidInput
from contracts.human import CLONE, SPEAK, CloneTask, SpeakTask
from store.voices import Voices

router = APIRouter(route_class=FormRoute)
lists = APIRouter()
LONGEST_NAME, LONGEST_TEXT, LONGEST_PATH, LONGEST_CONSENT = 64, 2_000, 512, 200  # characters
Name = Annotated[str, Form(max_length=LONGEST_NAME)]


class Voice(BaseModel):
    id: str
    name: str
    created_at: str
    reference_audio: str
    status: str = "已提取特征"


class VoiceList(BaseModel):
    status: str = "success"
    audios: list[Voice]
    total_count: int


@lists.get("/api/cloned-audios")
def list_cloned_audios(state: Here, caller: Known) -> VoiceList:
    """Newest first."""
    rows = Voices(state.database).all(caller.owners)
    audios = [
        Voice(id=row.name, name=row.name, created_at=clock(row.created_ms), reference_audio=row.reference or "unknown")
        for row in rows
    ]
    return VoiceList(audios=audios, total_count=len(audios))


@router.post("/audio_clone", response_model=Voiced, response_model_exclude_none=True)
async def audio_clone(
    call: Called,
    original_audio_path: Annotated[str, Form(max_length=LONGEST_PATH)] = "",
    audio_id: Name = "",
    target_audio_id: Name = "",
    gen_audio_id: Name = "",
    generate_text: Annotated[str, Form(max_length=LONGEST_TEXT)] = "",
    consent: Annotated[str, Form(max_length=LONGEST_CONSENT)] = "",
) -> JSONResponse:
    """With `generate_text` it is said in the voice `audio_id`; without, the recording is kept as a voice, with the
    `consent` of who speaks in it.

    `gen_audio_id` is taken and not used: results have names that nobody can guess.
    """
    if generate_text.strip():
        check_text(generate_text, "generate_text")
        return await _speak(call, audio_id.strip(), generate_text)
    return await _clone(call, target_audio_id.strip() or audio_id.strip(), original_audio_path, consent.strip())


async def _speak(call: Call, voice: str, text: str) -> JSONResponse:
    def task() -> SpeakTask:
        sample = Voices(call.state.database).find(voice, call.caller.owners, "audio_id").sample if voice else ""
        return SpeakTask(text=text, sample=sample, speech_model=speech_model(call.state, sample))

    job, view = await call.perform(SPEAK, task)
    if view is None:
        return accepted(job)
    return answer(Voiced(message="音频生成成功", task_id=job.id, cloned_audio_path=call.path(view)))


async def _clone(call: Call, voice: str, path: str, consent: str) -> JSONResponse:
    copies: list[str] = []  # the voice's own recording, once there is one
    reference = told(documented(path, "original_audio_path")) if path.strip() else ""

    def task() -> CloneTask:
        if not path.strip():
            raise InvalidInput("请填写参考音频，或要生成的文本。", param="original_audio_path")
        if not voice or not voice.isprintable() or "/" in voice or "\\" in voice:
            raise InvalidInput("应为不含斜杠的名称。", param="audio_id")
        model = speech_model(call.state, "any")
        found = find_media(call.state, call.caller, path, "audio", "original_audio_path")
        with fetched(call.state, found.key) as recording:
            check_voice(recording, "original_audio_path")
            copies.append(copied(call.state, call.caller, recording))
        return CloneTask(voice=voice, sample=copies[0], reference=reference, consent=consent, speech_model=model)

    job, view = await call.perform(CLONE, task, lambda: forget(call.state, copies))
    if view is None:
        return accepted(job)
    name = voice if call.dialect.union else None
    return answer(Voiced(message=call.dialect.cloned, task_id=job.id, speaker_id=name))
