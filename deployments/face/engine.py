"""What every face engine offers: answers in the order of the pictures, which are upright and in RGB."""

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image

from contracts.sight import SeenFace


class FaceEngine(Protocol):
    def load(self) -> None: ...
    def find(self, pictures: Sequence[Image], embed: bool = False) -> list[list[SeenFace]]: ...
    def close(self) -> None: ...
