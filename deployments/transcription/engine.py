"""What every transcription engine offers: progress while it listens, and what was said last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from contracts.model import Progress
from contracts.transcription import Transcript


class TranscriptionEngine(Protocol):
    def load(self) -> None: ...
    def transcribe(
        self, recording: Path, language: str = "", prompt: str = "", words: bool = False, temperature: float = 0.0
    ) -> Iterator[Progress | Transcript]:
        """The same as of a `TranscriptionRequest`."""
        ...

    def close(self) -> None: ...
