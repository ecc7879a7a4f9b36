"""What jobs of the multimedia family are asked: the API writes these parameters, the pipelines read them."""

from pydantic import Field

from contracts.image import ImageRequest
from contracts.model import Contract
from contracts.tasks import Clip

IMAGE, VIDEO, SPEECH, TRANSCRIPTION = "media.image", "media.video", "media.speech", "media.transcription"  # kinds
OUTPUTS = "outputs"  # results, under names that nobody can guess: whoever has one may have the file


class PictureTask(ImageRequest):
    """A picture from a text, or from another picture (`picture`, an upload that is removed at the end)."""

    model: str

    def key(self, job_id: str) -> str:
        return f"{OUTPUTS}/images/{'transformed' if self.picture else 'generated'}_{job_id}.png"


class ClipTask(Clip):
    """A film from a text, or from one picture (an upload that is removed at the end)."""

    def key(self, job_id: str) -> str:
        return f"{OUTPUTS}/videos/generated_{job_id}.mp4"

    def scratch(self, job_id: str) -> str:
        """Where a job keeps what only it reads; no caller can name a folder that begins with a dot."""
        return f"{OUTPUTS}/.work/{job_id}"


class TranscribeTask(Contract):
    """What is said in a recording (an upload that is removed at the end)."""

    model: str
    recording: str = Field(min_length=1, description="Artifact key.")
    language: str = ""
