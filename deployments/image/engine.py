"""What every image engine offers: progress while it works, and the picture last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from contracts.image import ImageRequest, Picture
from contracts.model import Progress


class ImageEngine(Protocol):
    size_bytes: int  # of its weights, once it is loaded

    def load(self) -> None: ...

    def generate(self, request: ImageRequest, picture: Path | None = None) -> Iterator[Progress | Picture]:
        """`picture`: a local copy of the request's. An engine that only draws refuses one as `InvalidInput`."""
        ...

    def close(self) -> None: ...
