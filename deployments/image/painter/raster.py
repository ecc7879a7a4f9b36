"""SVG markup to pixels, by resvg."""

import io

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from deployments.image.painter.svg import document


def png(markup: str, width: int, height: int) -> bytes:
    """The markup as a PNG of this size."""
    return bytes(resvg_py.svg_to_bytes(svg_string=document(width, height, markup), skip_system_fonts=True))


def pixels(markup: str, width: int, height: int) -> NDArray[np.uint8]:
    """The markup as (height, width, 3)."""
    with Image.open(io.BytesIO(png(markup, width, height))) as image:
        return np.asarray(image.convert("RGB"))
