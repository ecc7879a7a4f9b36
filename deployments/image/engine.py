"""What every image engine offers: progress while it works, and the picture last."""

from collections.abc import Iterator
from typing import Protocol

from contracts.image import ImageRequest, Picture
from contracts.model import Progress


class ImageEngine(Protocol):
    def load(self) -> None: ...
    def generate(self, request: ImageRequest) -> Iterator[Progress | Picture]: ...
    def close(self) -> None: ...
