"""What every classification engine offers: answers in the order of the pictures, which are upright and in RGB."""

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image

from contracts.sight import Classified


class ClassificationEngine(Protocol):
    def load(self) -> None: ...
    def classify(self, pictures: Sequence[Image]) -> list[list[Classified]]: ...
    def close(self) -> None: ...
