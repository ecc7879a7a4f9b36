"""What every detection engine offers: answers in the order of the pictures, which are upright and in RGB."""

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image

from contracts.sight import Detected


class DetectionEngine(Protocol):
    def load(self) -> None: ...
    def detect(self, pictures: Sequence[Image]) -> list[list[Detected]]: ...
    def close(self) -> None: ...
