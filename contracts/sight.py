"""What models see in a picture. Pixels are those of the upright picture, from its upper left corner."""

from typing import Literal

from pydantic import Field

from contracts.model import Contract

Box = tuple[float, float, float, float]  # x1, y1, x2, y2
Point = tuple[float, float]
Landmark = Literal["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]  # left: on the picture's left


class Classified(Contract):
    """Something that a picture shows, as a whole."""

    label: str
    confidence: float = Field(ge=0, le=1)


class Detected(Classified):
    """A thing, and where it is."""

    bbox: Box


class SeenFace(Contract):
    """A face; `vector` has unit length and is compared with others of the same model by its cosine."""

    confidence: float = Field(ge=0, le=1)
    bbox: Box
    landmarks: dict[Landmark, Point]
    vector: list[float] = Field([], repr=False, description="Empty unless it was asked for.")
