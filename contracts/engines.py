"""Models as pipelines and routes see them, wherever they run. Closing a stream (`aclosing`) stops the model."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from contracts.artifacts import Artifact, Provenance
from contracts.avatar import Frames, FramesRequest, PerformanceRequest
from contracts.chat import ChatDelta, ChatRequest
from contracts.image import ImageRequest
from contracts.model import Progress
from contracts.sight import Classified, Detected, SeenFace
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript, TranscriptionRequest
from contracts.video import ClipRequest, FilmRequest


class Chat(Protocol):
    model: str

    def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]: ...


class Image(Protocol):
    model: str

    def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        """Progress, and last the picture, kept under `key`."""
        ...


class Speech(Protocol):
    model: str

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]: ...


class Transcription(Protocol):
    model: str

    def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Progress | Transcript]:
        """Progress, and last what was said."""
        ...


class Video(Protocol):
    """`footage`: what it films by itself (`contracts.catalog`), and then `generate` is its verb."""

    model: str
    footage: Sequence[str]

    def generate(self, request: ClipRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        """Progress, and last the film, kept under `key`."""
        ...

    def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        """Progress, and last the film, kept under `key`."""
        ...


class Classification(Protocol):
    """Pictures are the bytes of files that were checked to decode (`store.media`)."""

    model: str

    async def classify(self, picture: bytes, taught: str = "") -> list[Classified]:
        """The likeliest first, five at most; `taught`: key of a model that was taught from this one, and answers."""
        ...


class Detection(Protocol):
    model: str

    async def detect(self, picture: bytes) -> list[Detected]:
        """The surest first."""
        ...


class Face(Protocol):
    model: str

    async def find(self, picture: bytes, embed: bool = False) -> list[SeenFace]:
        """The largest first; `embed`: with their vectors."""
        ...


class Avatar(Protocol):
    """Any of them draws every avatar, of whatever type."""

    model: str

    async def render(self, request: FramesRequest) -> Frames:
        """The frames of a piece of sound. Nothing is remembered of the one before."""
        ...

    def perform(self, request: PerformanceRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        """Progress, and last a film of a whole recording, kept under `key`."""
        ...
