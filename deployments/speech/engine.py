"""What every speech engine offers: audio in the order spoken, at least one chunk."""

from collections.abc import Iterator
from typing import Protocol

from contracts.speech import AudioChunk, SpeechRequest


class SpeechEngine(Protocol):
    def load(self) -> None: ...
    def synthesize(self, request: SpeechRequest) -> Iterator[AudioChunk]: ...
    def close(self) -> None: ...
