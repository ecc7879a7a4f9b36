"""Who takes part in a spoken conversation: the models, the voice, and who is seen."""

import asyncio
from dataclasses import dataclass
from io import BytesIO

from PIL import Image as Pictures

from api.callers import Caller
from api.human.asked import avatar_model, check_avatar, speech_model, voice_of
from api.human.utterances import Start
from api.state import State
from api.voices import check_language
from contracts.artifacts import Provenance
from contracts.catalog import Capability
from contracts.engines import Image
from contracts.errors import NotFound, Unavailable
from contracts.human import RES_VIDEOS
from graphs.chat import Models, Show
from graphs.portrait import portrait, still
from store.artifacts import Artifacts
from store.faults import told

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

    def names(self) -> dict[str, str]:
        models = {f"{name}_model": getattr(self.models, name).model for name in NEEDED}
        return models | {"frames": "portrait" if self.show else ""}


def check_served(state: State) -> None:
    """`Unavailable` where nobody could answer."""
    for capability in NEEDED:
        state.models.default(capability)


async def cast_of(state: State, caller: Caller, start: Start) -> Cast:
    """What is asked for, or its refusal."""
    models, sample = await asyncio.to_thread(_models, state, caller, start)
    show = await _shown(state) if start.frames else None
    return Cast(models, sample, start.language, show)


@told()
def _models(state: State, caller: Caller, start: Start) -> tuple[Models, str]:
    avatar_model(start.model_name, "model_name")
    check_avatar(start.model_param)
    hears = state.models.default("transcription")
    check_language(hears, start.language)
    sample = voice_of(state, caller, start.ref_audio_id, start.speaker_id)
    asked = start.voice_clone if start.voice_clone in state.models.known else ""
    speaks = speech_model(state, sample, asked, "voice_clone")
    chats = state.models.resolve("chat", start.api_choice, "api_choice").id
    engines = state.engines
    return Models(engines.transcriptions[hears.id], engines.chats[chats], engines.speeches[speaks]), sample


async def _shown(state: State) -> Show:
    """The still portrait; it is drawn once."""
    image = state.engines.images[state.models.default("image").id]
    try:
        async with asyncio.timeout(DRAW_S):
            return still(await _portrait(image, state.artifacts))
    except TimeoutError:
        raise Unavailable("画面还没有准备好，请稍后再试。", param="frames", retry_after_s=30) from None


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
    jpeg = BytesIO()
    with Pictures.open(BytesIO(files.read(marked))) as picture:
        picture.convert("RGB").save(jpeg, "JPEG", quality=QUALITY)
    files.put(key, jpeg.getvalue(), made)
    return files.read(key)
