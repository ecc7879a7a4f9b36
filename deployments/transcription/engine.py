"""What every transcription engine offers: progress while it listens, and what was said last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from contracts.model import Progress
from contracts.transcription import Transcript


class TranscriptionEngine(Protocol):
    def load(self) -> None: ...
    def transcribe(self, recording: Path, language: str = "") -> Iterator[Progress | Transcript]:
        """`language`: ISO 639-1; empty: it is found out."""
        ...

    def close(self) -> None: ...
