"""What story and videogen jobs are asked: the API writes these parameters, the pipelines read them."""

from typing import Any

from pydantic import Field

from contracts.model import Contract

SEGMENTS = ("story.write", "story.draw", "story.split", "story.speak", "story.film")  # kinds of job, in their order
VIDEOGEN = "videogen.film"


class StoryTask(Contract):
    """One segment of one story. `done` holds the results of the segments before it, by kind."""

    task_id: int
    segment_id: int = Field(ge=1, le=len(SEGMENTS))
    topic: str
    main_role: str = ""
    scene: str = ""
    pages: int = Field(ge=1, le=24)
    done: dict[str, dict[str, Any]] = {}
    forgets: list[str] = Field([], description="Jobs of which everything is removed first.")
    keeps: list[str] = Field([], description="Keys that stay all the same: an earlier segment made them too.")


class Clip(Contract):
    """A short film from a text, or from one picture of the store."""

    model: str = Field(description="Id of the video model that makes it.")
    prompt: str
    picture: str = Field("", description="Artifact key; empty: pictures are drawn from the prompt.")
    width: int = 1280
    height: int = 720
    fps: int = 24
    duration_s: float = 5.0
    steps: int = Field(25, description="Of the model that draws the pictures, or the film.")
    seed: int | None = Field(None, description="None: one that only this job has.")

    @property
    def upload(self) -> str:
        """Key of what was given for this job alone, which goes when it ends; empty: nothing."""
        return ""


class VideoTask(Clip):
    """The same, as a task of the story family."""

    task_id: int
    segment_id: int = 1
    forgets: list[str] = Field([], description="Jobs of which everything is removed first.")

    def key(self, job_id: str) -> str:
        return f"{folder_of(self.task_id)}/output.mp4"

    def scratch(self, job_id: str) -> str:
        return scratch_of(self.task_id, job_id)


def folder_of(task_id: int) -> str:
    """Where a task's files lie in the store."""
    return f"generated_stories/{task_id}"


def scratch_of(task_id: int, job_id: str) -> str:
    """Where a job keeps what only later segments read; no caller can name a folder that begins with a dot."""
    return f"{folder_of(task_id)}/.work/{job_id}"


def uploads_of(task_id: int, job_id: str) -> str:
    """Where a job finds what its caller gave."""
    return f"{folder_of(task_id)}/.uploads/{job_id}"


SPEECH = "live.speak"  # a kind of job
AUDIO = "audio"  # the folder of the store that players ask


class SpeechTask(Contract):
    """A text, said in a voice of the model's own or in that of a recording."""

    model: str = Field(description="Id of the speech model.")
    text: str
    sample: str = Field("", description="Artifact key of the recording; empty: none.")
    lent: bool = Field(False, description="The recording is a voice's, which goes on to need it.")
    voice: str = ""
    language: str = ""
    speed: float = 1.0
    pitch: float = 0.0
    name: str = Field(f"{AUDIO}/generated", description="What the key of the MP3 begins with.")

    def key(self, job_id: str) -> str:
        return f"{self.name}_{job_id}.mp3"
