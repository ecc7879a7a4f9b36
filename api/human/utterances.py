"""What a caller sends in a spoken conversation: words of control as JSON, and sound, kept while it is heard."""

import io
import json
import tempfile
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.callers import Caller
from api.chinese import message_of
from api.human.voices import LONGEST_NAME, LONGEST_PATH
from api.state import State
from api.uploads import folder_of
from contracts.errors import InvalidInput, TooLarge
from contracts.transcription import SHORTEST_S
from graphs.story import wav
from store.media import probe

RATE_HZ = 16_000  # of raw sound: mono, 16-bit little-endian
LONGEST_S = 60  # of an utterance
MOST_BYTES = {"pcm": 2 * RATE_HZ * LONGEST_S, "file": 8 << 20}
MOST_LETTERS = 4_096  # of a word of control

Name = Annotated[str, Field(max_length=LONGEST_NAME)]


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Start(Word):
    """The first message. Its fields are named as those of `/chat_system`; all may be left out."""

    type: Literal["start"]
    conversation_id: Name = Field("", description="One of the caller's own to go on with; empty: a new one.")
    language: str = Field("", pattern="^([a-z]{2,3})?$", description="ISO 639-1 of what is spoken; empty: found out.")
    format: Literal["pcm", "file"] = Field("pcm", description="Of utterances: raw sound, or whole files in pieces.")
    frames: bool = Field(False, description="Whether the one who speaks is to be seen.")
    model_name: Name = ""
    model_param: str = Field("", max_length=LONGEST_PATH)
    ref_audio_id: Name = ""
    speaker_id: Name = ""
    voice_clone: Name = ""
    api_choice: Name = ""


class End(Word):
    """The utterance is over; it is answered."""

    type: Literal["end"]


class Stop(Word):
    """No more of this answer; an utterance that has begun is forgotten."""

    type: Literal["stop"]


class Ping(Word):
    type: Literal["ping"]


_WORDS: TypeAdapter[Start | End | Stop | Ping] = TypeAdapter(
    Annotated[Start | End | Stop | Ping, Field(discriminator="type")]
)


def read(text: str) -> Start | End | Stop | Ping:
    """Anything else is `InvalidInput`, and `TooLarge` before it is read."""
    if len(text) > MOST_LETTERS:
        raise TooLarge(f"控制消息不能超过 {MOST_LETTERS} 个字符。", param="type")
    try:
        return _WORDS.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(message_of(first), param=_param(first["loc"])) from None
    except (ValueError, RecursionError):
        raise InvalidInput("应为 JSON 对象，或二进制的声音。", param="type") from None


def _param(place: tuple[int | str, ...]) -> str:
    """The first part is the kind of message; JSON may escape half a character, which no answer can hold."""
    return ".".join(map(str, place[1:])).encode("utf-8", "replace").decode() or "type"


class Utterance:
    """Sound as it comes. More than it may be is refused once; what follows is thrown away with it."""

    def __init__(self, form: Literal["pcm", "file"]) -> None:
        self.form, self.refused = form, False
        self._parts = io.BytesIO()

    def add(self, part: bytes) -> None:
        if self.refused:
            return
        if self._parts.tell() + len(part) > MOST_BYTES[self.form]:
            self.refused, self._parts = True, io.BytesIO()
            limit = f"{LONGEST_S} 秒" if self.form == "pcm" else f"{MOST_BYTES['file'] >> 20} MB"
            raise TooLarge(f"一段话不能超过 {limit}。", param="audio")
        self._parts.write(part)

    def is_empty(self) -> bool:
        return self._parts.tell() == 0

    @property
    def content(self) -> bytes:
        return self._parts.getvalue()


def keep(state: State, caller: Caller, utterance: Utterance) -> str:
    """The key of a file with the sound; what is none, too short or too long is `InvalidInput`. It blocks."""
    content = utterance.content
    if utterance.form == "pcm":
        suffix, content, seconds = ".wav", *_wav(content)
    else:
        suffix, seconds = _probed(content)
    if seconds < SHORTEST_S:
        raise InvalidInput(f"录音太短，至少要 {SHORTEST_S:g} 秒。", param="audio")
    if seconds > LONGEST_S:
        raise InvalidInput(f"录音太长，最多 {LONGEST_S} 秒。", param="audio")
    key = f"{folder_of(caller.owner)}/{uuid.uuid4().hex}{suffix}"
    return state.artifacts.upload(key, content, caller.owner).key


def _wav(pcm: bytes) -> tuple[bytes, float]:
    if len(pcm) % 2:
        raise InvalidInput("应为 16 位采样的声音：字节数是奇数。", param="audio")
    return wav(pcm, RATE_HZ), len(pcm) / 2 / RATE_HZ


def _probed(content: bytes) -> tuple[str, float]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        media = probe(file, ["audio"], "audio")
    return media.suffix, media.duration_s or 0.0
