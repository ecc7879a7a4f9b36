"""Conversation: a recording is heard, answered, and the answer spoken in a film."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse

from api.human.actors import actor
from api.human.asked import check_pitch, forget, held, speech_model, voice_of
from api.human.calling import Answered, Call, Called, accepted, answer, instead, said
from api.human.paths import RECORDING, find
from api.human.voices import LONGEST_PATH, Name
from api.limits import body_limit
from api.uploads import FormRoute, take
from contracts.errors import NotFound, Unavailable
from contracts.human import CHAT, ChatTask

router = APIRouter(route_class=FormRoute)


@router.post("/chat_system", response_model=Answered, response_model_exclude_none=True)
@body_limit("audio")
async def chat_system(
    call: Called,
    audio: Annotated[UploadFile | None, File()] = None,
    model_name: Name = "",
    model_param: Annotated[str, Form(max_length=LONGEST_PATH)] = "",
    ref_audio_id: Name = "",
    speaker_id: Name = "",
    voice_clone: Name = "",
    api_choice: Name = "",
    pitch: Name = "",
) -> JSONResponse:
    """With a recording, `response` is the text that answers it; without, the caller's last one is answered, and
    `response` is the film. `voice_clone` is the model that speaks, if it is one.
    """
    notes = [check_pitch(pitch)]
    kept: list[str] = []  # the job's own copy of the recording, once there is one

    def task() -> ChatTask:
        acted, note = actor(call.state, call.caller, model_name, model_param)
        notes.append(note)
        sample = voice_of(call.state, call.caller, ref_audio_id, speaker_id)
        chat = call.state.models.resolve("chat", api_choice, "api_choice").id
        asked = voice_clone if voice_clone in call.state.models.known else ""
        speaks = speech_model(call.state, sample, asked, "voice_clone")
        kept.append(_recording(call, audio))
        return ChatTask(
            **acted.model_dump(),
            recording=kept[0],
            sample=sample,
            chat_model=chat,
            speech_model=speaks,
            transcription_model=_transcription_model(call),
        )

    job, view = await call.perform(CHAT, task, lambda: forget(call.state, kept))
    if view is None:
        return accepted(job)
    made_by, portrait = instead(view)
    path, chat = call.path(view), job.params["chat_model"]
    message = said("对话生成成功", portrait, f"由 {chat} 作答" if api_choice not in ("", chat) else "", *notes)
    response = view.result["reply"] if audio is not None and call.dialect.union else f"/{path.lstrip('/')}"
    done = Answered(message=message, task_id=job.id, response=response)
    return answer(done.model_copy(update={"video_path": path}) if call.dialect.union else done, made_by)


def _recording(call: Call, audio: UploadFile | None) -> str:
    """The key of what was sent, else of a copy of the caller's last recording."""
    if audio is not None:
        return take(call.state, audio, ["audio"], call.caller.owner, "audio").artifact.key
    try:
        return held(call.state, call.caller, find(call.state, call.caller, RECORDING).key)
    except NotFound:
        raise NotFound("还没有录音：请上传录音，或先保存一段。", param="audio") from None


def _transcription_model(call: Call) -> str:
    """Nothing is queued where nobody hears."""
    try:
        return call.state.models.default("transcription").id
    except Unavailable as error:
        raise Unavailable(f"语音识别暂不可用：{error.message}") from None
