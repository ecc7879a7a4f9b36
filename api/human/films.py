"""Films of somebody who speaks: a text, or a recording."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse

from api.human.actors import actor
from api.human.asked import (
    check_pitch,
    check_stored_voice,
    check_text,
    speech_model,
    voice_of,
)
from api.human.calling import Called, Filmed, accepted, answer, instead, said
from api.human.gpus import check_gpu
from api.human.voices import LONGEST_PATH, LONGEST_TEXT, Name
from api.uploads import FormRoute
from contracts.errors import InvalidInput
from contracts.human import VIDEO, VideoTask

router = APIRouter(route_class=FormRoute)
Path = Annotated[str, Form(max_length=LONGEST_PATH)]


@router.post("/video_generation", response_model=Filmed, response_model_exclude_none=True)
async def video_generation(
    call: Called,
    model_name: Name = "",
    model_param: Path = "",
    ref_audio_id: Name = "",
    speaker_id: Name = "",
    ref_audio: Path = "",
    gpu_choice: Name = "",
    target_text: Annotated[str, Form(max_length=LONGEST_TEXT)] = "",
    pitch: Name = "",
) -> JSONResponse:
    """The text in the voice that is named; without a text, the recording as it is."""
    notes = [check_pitch(pitch), await asyncio.to_thread(check_gpu, gpu_choice)]
    text = target_text if target_text.strip() else ""
    if text:
        check_text(text, "target_text")

    def task() -> VideoTask:
        acted, note = actor(call.state, call.caller, model_name, model_param)
        notes.append(note)
        sample = voice_of(call.state, call.caller, ref_audio_id, speaker_id, ref_audio)
        if not text and not sample:
            raise InvalidInput("请填写文本，或选择参考音频。", param="target_text")
        if text and sample and not (ref_audio_id.strip() or speaker_id.strip()):  # a voice was checked when it was kept
            check_stored_voice(call.state, sample, "ref_audio")
        speaks = speech_model(call.state, sample if text else "")
        audio, sample = ("", sample) if text else (sample, "")
        return VideoTask(**acted.model_dump(), text=text, audio=audio, sample=sample, speech_model=speaks)

    job, view = await call.perform(VIDEO, task)
    if view is None:
        return accepted(job)
    made_by, note = instead(view)
    message = said("视频生成成功", note, *notes)
    return answer(Filmed(message=message, task_id=job.id, video_path=call.path(view)), made_by)
