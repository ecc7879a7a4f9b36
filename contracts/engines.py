"""Models as pipelines and routes see them, wherever they run. Leaving a stream early stops the model."""

from collections.abc import AsyncIterator
from typing import Protocol

from contracts.artifacts import Artifact, Provenance
from contracts.chat import ChatDelta, ChatRequest
from contracts.image import ImageRequest
from contracts.model import Progress
from contracts.speech import AudioChunk, SpeechRequest
from contracts.video import FilmRequest


class Chat(Protocol):
    model: str

    def generate(self, request: ChatRequest) -> AsyncIterator[ChatDelta]: ...


class Image(Protocol):
    model: str

    def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        """Progress, and last the picture, kept under `key`."""
        ...


class Speech(Protocol):
    model: str

    def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioChunk]: ...


class Video(Protocol):
    model: str

    def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        """Progress, and last the film, kept under `key`."""
        ...
