"""Who takes part in a spoken conversation: the models, the voice, and who is seen."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image as Pictures

from api.callers import Caller
from api.human.actors import actor
from api.human.asked import speech_model, voice_of
from api.human.utterances import Start
from api.state import State
from api.voices import check_language
from contracts.artifacts import Provenance
from contracts.catalog import Capability
from contracts.engines import Image
from contracts.errors import NotFound, Unavailable
from contracts.human import RES_VIDEOS, Acted
from graphs.acting import Acting
from graphs.chat import Frame, Models, Piece, Show
from graphs.portrait import portrait, still
from store.artifacts import Artifacts
from store.faults import told
from store.labels import Label, jpeg
from store.labels.mark import WORDS

NEEDED: tuple[Capability, ...] = ("transcription", "chat", "speech")
PORTRAITS = f"{RES_VIDEOS}/.work/portraits"  # which no caller can name
DRAW_S = 120.0
QUALITY = 88  # of the JPEG


@dataclass(frozen=True)
class Cast:
    models: Models
    sample: str  # key of the recording whose voice answers; empty: the model's own voice
    language: str
    show: Show | None
    frames: str  # what is seen: `avatar`, `portrait`; empty: nothing

    def names(self) -> dict[str, str]:
        return {f"{name}_model": getattr(self.models, name).model for name in NEEDED} | {"frames": self.frames}


def check_served(state: State) -> None:
    """`Unavailable` where nobody could answer."""
    for capability in NEEDED:
        state.models.default(capability)


async def cast_of(state: State, caller: Caller, start: Start) -> Cast:
    """What is asked for, or its refusal."""
    models, sample, acted = await asyncio.to_thread(_models, state, caller, start)
    show = await _shown(state, acted) if start.frames else None
    seen = "avatar" if acted.avatar else "portrait"
    return Cast(models, sample, start.language, show, seen if show else "")


@told()
def _models(state: State, caller: Caller, start: Start) -> tuple[Models, str, Acted]:
    acted, _ = actor(state, caller, start.model_name, start.model_param)
    hears = state.models.default("transcription")
    check_language(hears, start.language)
    sample = voice_of(state, caller, start.ref_audio_id, start.speaker_id)
    asked = start.voice_clone if start.voice_clone in state.models.known else ""
    speaks = speech_model(state, sample, asked, "voice_clone")
    chats = state.models.resolve("chat", start.api_choice, "api_choice").id
    engines = state.engines
    models = Models(engines.transcriptions[hears.id], engines.chats[chats], engines.speeches[speaks])
    return models, sample, acted


async def _shown(state: State, acted: Acted) -> Show:
    """The avatar, once it can be drawn; where there is none, the still portrait, which is drawn once."""
    try:
        async with asyncio.timeout(DRAW_S):
            if acted.avatar:
                return await _on_stage(state, acted)
            image = state.engines.images[state.models.default("image").id]
            return still(await _portrait(image, state.artifacts))
    except TimeoutError:
        raise Unavailable("画面还没有准备好，请稍后再试。", param="frames", retry_after_s=30) from None


async def _on_stage(state: State, acted: Acted) -> Show:
    mark = WORDS if state.settings.visible_label else ""
    acting = Acting(state.engines.avatars[acted.avatar_model], acted.avatar, mark)
    await acting.rehearse()
    label = Label.generated(state.settings.producer, uuid.uuid4().hex, "").as_json()
    return _labelled(acting, label)


def _labelled(show: Show, label: str) -> Show:
    """The same frames, each with the label in its metadata."""

    async def labelled(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
        async with aclosing(show(pieces)) as shown:
            async for piece in shown:
                yield replace(piece, jpeg=jpeg.labelled(piece.jpeg, label)) if isinstance(piece, Frame) else piece

    return labelled


async def _portrait(image: Image, files: Artifacts) -> bytes:
    folder = f"{PORTRAITS}/{image.model}"
    key = f"{folder}/portrait.jpg"
    try:
        return await asyncio.to_thread(files.read, key)
    except NotFound:
        made = Provenance(owner="", model=image.model)
        marked = await portrait(image, files, folder, made)
        return await asyncio.to_thread(_as_jpeg, files, marked, key, made)


def _as_jpeg(files: Artifacts, marked: str, key: str, made: Provenance) -> bytes:
    """As it is kept, with its label."""
    content = BytesIO()
    with Pictures.open(BytesIO(files.read(marked))) as picture:
        picture.convert("RGB").save(content, "JPEG", quality=QUALITY)
    files.put(key, content.getvalue(), made)
    return files.read(key)
