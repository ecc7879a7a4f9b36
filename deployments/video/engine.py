"""What film engines offer, one of two: an MP4 at `output`, progress while it is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from contracts.model import Progress
from contracts.video import ClipRequest, FilmRequest


class VideoEngine(Protocol):
    def load(self) -> None: ...
    def render(self, request: FilmRequest, files: Mapping[str, Path], output: Path) -> Iterator[Progress]:
        """`files` holds a local copy of every key that the request names."""
        ...

    def close(self) -> None: ...


class ClipEngine(Protocol):
    def load(self) -> None: ...
    def generate(self, request: ClipRequest, picture: Path | None, output: Path) -> Iterator[Progress]:
        """`picture`: a local copy of the request's."""
        ...

    def close(self) -> None: ...
