"""What every film engine offers: an MP4 at `output`, progress while it is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from contracts.model import Progress
from contracts.video import FilmRequest


class VideoEngine(Protocol):
    def load(self) -> None: ...
    def render(self, request: FilmRequest, files: Mapping[str, Path], output: Path) -> Iterator[Progress]:
        """`files` holds a local copy of every key that the request names."""
        ...

    def close(self) -> None: ...
