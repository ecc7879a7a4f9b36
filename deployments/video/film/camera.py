"""A picture under a slowly moving camera."""

import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from contracts.errors import EngineFailed
from deployments.upright import turned
from deployments.video.film.planes import Planes, from_rgb

CANVAS = 1.10  # the picture is kept this much larger than the film, for the camera to move in


class View(NamedTuple):
    """Zoom from 1 (the whole picture) to CANVAS; the centre's place in the room that the zoom leaves, -1 to 1."""

    zoom: float
    x: float
    y: float


MOVES = (  # by shot, in turn
    (View(1.00, 0.0, 0.0), View(1.09, 0.0, -0.3)),
    (View(1.08, -0.9, 0.0), View(1.08, 0.9, 0.0)),
    (View(1.09, 0.4, 0.3), View(1.00, 0.0, 0.0)),
    (View(1.07, 0.8, 0.5), View(1.07, -0.8, -0.5)),
    (View(1.01, 0.0, 0.0), View(1.09, 0.7, 0.0)),
    (View(1.08, 0.0, 0.9), View(1.08, 0.0, -0.9)),
    (View(1.09, -0.6, -0.3), View(1.01, 0.0, 0.0)),
)


class Camera:
    """One shot's picture and its move, over the frames that it can be seen in."""

    def __init__(self, picture: Planes, number: int, width: int, frames: int) -> None:
        self.picture, self.width, self.frames = picture, width, frames
        self.start, self.end = MOVES[number % len(MOVES)]

    def shoot(self, frame: int, onto: Planes) -> None:
        """Draw the picture as it is `frame` frames after the shot began."""
        share = _eased(frame / max(1, self.frames - 1))
        zoom, x, y = (a + (b - a) * share for a, b in zip(self.start, self.end, strict=True))
        columns = self.picture.y.shape[1]
        step = columns / zoom / self.width  # canvas pixels to a film pixel
        for source, target in zip(self.picture, onto, strict=True):
            left = (source.shape[1] - target.shape[1] * step) / 2 * (1 + x)
            top = (source.shape[0] - target.shape[0] * step) / 2 * (1 + y)
            offset = step / 2 - 0.5  # pixels are where their centres are
            matrix = np.array([[step, 0, left + offset], [0, step, top + offset]])
            cv2.warpAffine(
                source,
                matrix,
                (target.shape[1], target.shape[0]),
                dst=target,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )


def canvas(key: str, path: Path, width: int, height: int) -> Planes:
    """The picture covering the film's frame, cut evenly at the sides, and CANVAS times as large."""
    size = (2 * math.ceil(width * CANVAS / 2), 2 * math.ceil(height * CANVAS / 2))
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", size)
            whole = _opaque(turned(picture))
            fitted = ImageOps.fit(whole, size, method=Image.Resampling.BICUBIC)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise EngineFailed(f"{key} is not a picture that can be read.") from None
    return from_rgb(np.asarray(fitted))


def _opaque(picture: Image.Image) -> Image.Image:
    """In RGB; what shines through is white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        paper = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(paper, coloured).convert("RGB")
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")


def _eased(share: float) -> float:
    """Half a steady move, half one that starts and ends at rest: no jerk, and never still."""
    return 0.5 * share + 0.25 * (1 - math.cos(math.pi * share))
