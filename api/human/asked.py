"""What the forms name: an avatar model, a voice, a pitch."""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from api.callers import Caller
from api.human.folders import MODELS
from api.human.paths import RECORDING, documented, find_media
from api.state import State
from api.uploads import folder_of
from api.voices import check_length
from contracts.errors import InvalidInput
from contracts.human import AvatarModel
from store.media import probe
from store.voices import Voices

PITCHES = 24.0  # semitones, up or down


def avatar_model(name: str, param: str) -> AvatarModel:
    """Empty: the first that the documents name."""
    if name and name not in MODELS:
        raise InvalidInput(f"应为 {'、'.join(MODELS)} 之一。", param=param)
    return name or MODELS[0]


def check_pitch(pitch: str) -> str:
    """What to tell who asked for another pitch."""
    try:
        semitones = float(pitch or 0)
    except ValueError:
        raise InvalidInput("应为数字。", param="pitch") from None
    if not -PITCHES <= semitones <= PITCHES:
        raise InvalidInput(f"应在 {-PITCHES:g} 到 {PITCHES:g} 之间。", param="pitch")
    return "" if semitones == 0 else "暂不支持调整音高，已按原音高合成"


def check_text(text: str, param: str) -> None:
    if not any(map(str.isalnum, text)):
        raise InvalidInput("没有可以读出的文字。", param=param)


def voice_of(state: State, caller: Caller, ref_audio_id: str, speaker_id: str, ref_audio: str = "") -> str:
    """The key of the recording whose voice is asked for; empty: none is."""
    for param, name in (("ref_audio_id", ref_audio_id.strip()), ("speaker_id", speaker_id.strip())):
        if name:
            return Voices(state.database).find(name, caller.owners, param).sample
    return _brought(state, caller, ref_audio) if ref_audio.strip() else ""


def _brought(state: State, caller: Caller, path: str) -> str:
    key = find_media(state, caller, path, "audio", "ref_audio").key
    return held(state, caller, key) if documented(path) == RECORDING else key


def speech_model(state: State, sample: str, asked: str = "", param: str = "model") -> str:
    """The model that speaks, in a recording's voice if there is one."""
    return state.models.resolve("speech", asked, param, clones=bool(sample)).id


def check_voice(path: Path, param: str) -> None:
    """The rest is measured where it is spoken with."""
    with path.open("rb") as file:
        check_length(probe(file, ["audio"], param), param)


def check_stored_voice(state: State, key: str, param: str) -> None:
    with fetched(state, key) as path:
        check_voice(path, param)


def held(state: State, caller: Caller, key: str) -> str:
    """A copy for one job of what may be replaced while it waits."""
    with fetched(state, key) as path:
        return copied(state, caller, path)


@contextmanager
def fetched(state: State, key: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{PurePosixPath(key).suffix}"
        state.artifacts.fetch(key, path)
        yield path


def copied(state: State, caller: Caller, path: Path) -> str:
    """Kept until neither a job nor a voice needs it: then it goes with the uploads that nobody needs."""
    key = f"{folder_of(caller.owner)}/{uuid.uuid4().hex}{path.suffix}"
    return state.artifacts.upload(key, path, caller.owner).key


def forget(state: State, keys: Sequence[str]) -> None:
    for key in keys:
        state.artifacts.delete(key)
