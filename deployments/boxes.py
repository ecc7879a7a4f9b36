"""Where things are in a picture."""

from collections.abc import Sequence

from PIL.Image import Image

from contracts.sight import Box


def clipped(box: Sequence[float], picture: Image) -> Box:
    """x1, y1, x2, y2 within the picture."""
    x1, y1, x2, y2 = box
    width, height = picture.size
    return min(max(x1, 0.0), width), min(max(y1, 0.0), height), min(max(x2, 0.0), width), min(max(y2, 0.0), height)


def area(box: Box) -> float:
    x1, y1, x2, y2 = box
    return max(x2 - x1, 0.0) * max(y2 - y1, 0.0)
