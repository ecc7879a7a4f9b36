"""What every speech engine offers: audio in the order spoken, at least one chunk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from contracts.speech import AudioChunk, SpeechRequest


class SpeechEngine(Protocol):
    def load(self) -> None: ...
    def synthesize(self, request: SpeechRequest, sample: Path | None = None) -> Iterator[AudioChunk]:
        """`sample`: a recording of the voice to speak with. An engine that cannot refuses it as invalid input."""
        ...

    def close(self) -> None: ...
