"""What jobs of the digital-human family are asked: the API writes these parameters, the pipelines read them."""

from typing import Literal, Protocol

from pydantic import Field

from contracts.model import Contract

CLONE, SPEAK, VIDEO, CHAT, TRAIN = "human.clone", "human.speak", "human.video", "human.chat", "human.train"

# Where the documents say that files lie. What is brought is its caller's own; results have names that nobody can guess.
REF_VOICES, REF_VIDEOS = "static/voices/ref_voices", "static/videos/ref_videos"
RES_VOICES, RES_VIDEOS = "static/voices/res_voices", "static/videos/res_videos"

AvatarModel = Literal["SyncTalk", "ER-NeRF"]


class CloneTask(Contract):
    """Keep a recording as a voice. `sample`: artifact key of a copy that is the voice's own."""

    voice: str
    sample: str
    reference: str = Field("", description="The recording's path, as its caller names it.")
    consent: str = Field("", description="That of who speaks, as the caller states it; empty: not stated.")
    speech_model: str


class Voices(Protocol):
    """Where voices are kept, by owner and name. Blocking: call it in a thread."""

    def keep(self, owner: str, name: str, sample: str, reference: str, consent: str) -> None:
        """Keep one, in place of what had this name."""
        ...


class SpeakTask(Contract):
    """Say a text in a voice. `sample`: artifact key of the voice's recording; empty: the model's own voice."""

    text: str
    sample: str = ""
    speech_model: str


class Acted(Contract):
    """Who is seen."""

    model: AvatarModel
    avatar: str = Field("", description="Key of its folder, or its place in the catalogue; empty: a still portrait.")
    avatar_model: str = Field("", description="The model that draws it.")


class VideoTask(Acted):
    """A film of an avatar that says a text, or plays a recording (`audio`, an artifact key) where there is no text."""

    text: str = ""
    audio: str = ""
    sample: str = ""
    speech_model: str


class ChatTask(Acted):
    """Answer a recording: heard, thought about, spoken in a voice, performed."""

    recording: str
    sample: str = ""
    chat_model: str
    speech_model: str
    transcription_model: str


class TrainTask(Contract):
    """Train an avatar from a film (`film`: artifact key)."""

    model: AvatarModel
    film: str
    epochs: int = Field(ge=1)
    parameters: dict[str, float | int | str | bool] = {}
    gpu: str = Field("", description="GPU<n> of the choice; empty: whatever there is.")
    task_id: str = Field("", description="The documented id of the job.")
    output: str = Field("", description="Key of the folder, the caller's own, that the avatar is kept in.")


def scratch_of(job_id: str) -> str:
    """Where a job keeps what only it reads; no caller can name a folder that begins with a dot."""
    return f"{RES_VIDEOS}/.work/{job_id}"
