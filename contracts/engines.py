"""Models as pipelines and routes see them, wherever they run. Closing a stream (`aclosing`) stops the model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from contracts.artifacts import Artifact, Provenance
from contracts.chat import ChatDelta, ChatRequest
from contracts.image import ImageRequest
from contracts.model import Progress
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript, TranscriptionRequest
from contracts.video import FilmRequest


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

    async def transcribe(self, request: TranscriptionRequest) -> Transcript: ...


class Video(Protocol):
    model: str

    def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        """Progress, and last the film, kept under `key`."""
        ...
