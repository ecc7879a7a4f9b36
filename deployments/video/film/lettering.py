"""Words over a picture: drawn once, then blended into the rows that they stand in."""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from contracts.catalog import CATALOG
from deployments.video.film.planes import BLACK, WHITE, Plane, Planes
from deployments.video.film.wrapping import shortened, wrapped

FONT = CATALOG / "fonts" / "NotoSansSC-Regular.otf"
WIDEST = 0.9  # of the film's width
SMALLEST = 0.6  # of a caption's usual size
MARK_HEIGHT = 0.05  # of the film's shorter side: the height of a capital letter (GB 45438-2025)
CAPITAL = 0.73  # of the font's size: the height of a capital letter
BAND = 0.36  # how dark the band behind the words is
SPACING = 1.32  # from line to line, in sizes

Mask = NDArray[np.float32]  # (rows, columns), 0–1


class Letters(NamedTuple):
    """What of a picture stays (0–255), and what is added, in a box with even corners."""

    left: int
    top: int
    keep: Planes
    add: Planes

    def write(self, onto: Planes) -> None:
        """Blend into a frame, in place."""
        for plane, keep, add, half in zip(onto, self.keep, self.add, (1, 2, 2), strict=True):
            top, left = self.top // half, self.left // half
            box = plane[top : top + keep.shape[0], left : left + keep.shape[1]]
            cv2.multiply(box, keep, dst=box, scale=1 / 255)
            cv2.add(box, add, dst=box)


def caption(text: str, width: int, height: int) -> Letters | None:
    """At most two lines at the bottom; None if the font has nothing of the text."""
    if not (words := drawable(text)):
        return None
    lines, font = _fitted(words, WIDEST * width, round(min(height / 18, width / 20)))
    covered, dark = _drawn(lines, font, "center")
    left = (width - covered.shape[1]) // 2
    top = height - covered.shape[0] - round(0.03 * height)
    return _letters(max(0, left), max(0, top), covered, dark)


def mark(text: str, width: int, height: int) -> Letters | None:
    """At the top right, its capitals as high as the standard asks for."""
    if not (words := drawable(text)):
        return None
    font = _font(round(MARK_HEIGHT * min(width, height) / CAPITAL + 1))
    lines = wrapped(words, WIDEST * width, font.getlength) or shortened(words, WIDEST * width, font.getlength)
    covered, dark = _drawn(lines, font, "right")
    gap = round(0.02 * min(width, height))
    return _letters(max(0, width - covered.shape[1] - gap), gap, covered, dark)


def drawable(text: str) -> str:
    """The characters that the font has, on one line; empty if none of them is to be seen."""
    shown = "".join(one if one.isspace() or _has(one) else "" for one in unicodedata.normalize("NFC", text))
    return " ".join(shown.split())


def _fitted(text: str, width: float, size: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The text at its usual size if two lines hold it; else smaller; else cut off."""
    least = max(8, round(SMALLEST * size))
    for smaller in range(size, least, -2):
        if lines := wrapped(text, width, _font(smaller).getlength):
            return lines, _font(smaller)
    font = _font(least)
    return wrapped(text, width, font.getlength) or shortened(text, width, font.getlength), font


def _drawn(lines: list[str], font: ImageFont.FreeTypeFont, align: str) -> tuple[Mask, Mask]:
    """White words, and the dark around and behind them."""
    size = font.size
    pad, stroke = round(0.45 * size), max(1, round(size / 14))
    inner = round(max(map(font.getlength, lines))), round(size * (SPACING * (len(lines) - 1) + 1.1))
    canvas = (inner[0] + 2 * pad, inner[1] + 2 * pad)
    words, outline, band = (Image.new("L", canvas) for _ in range(3))
    for image, width in ((words, 0), (outline, stroke)):
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(lines):
            slack = inner[0] - font.getlength(line)
            x = pad + slack * {"center": 0.5, "right": 1.0}[align]
            pen.text((x, pad + 0.92 * size + number * SPACING * size), line, 255, font, anchor="ls", stroke_width=width)
    edge = round(0.2 * size)
    box = (edge, edge, canvas[0] - edge, canvas[1] - edge)
    ImageDraw.Draw(band).rounded_rectangle(box, radius=0.3 * size, fill=255)
    soft = band.filter(ImageFilter.GaussianBlur(0.12 * size))
    light = (1 - _mask(outline)) * (1 - np.float32(BAND) * _mask(soft))
    return _mask(words), np.asarray(1 - light, np.float32)


def _letters(left: int, top: int, covered: Mask, dark: Mask) -> Letters:
    """The masks as planes. White on dark has no colour, so U and V only lose theirs."""
    rows, columns = (side + side % 2 for side in covered.shape)
    size = ((0, rows - covered.shape[0]), (0, columns - covered.shape[1]))
    keep, add = _blend(np.pad(covered, size), np.pad(dark, size))
    coarse = _halved(keep)
    grey = np.rint(128 - coarse * (128 / 255)).astype(np.uint8)
    return Letters(left & ~1, top & ~1, Planes(keep, coarse, coarse), Planes(add, grey, grey))


def _halved(plane: Plane) -> Plane:
    rows, columns = plane.shape
    return np.asarray(cv2.resize(plane, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _blend(covered: Mask, dark: Mask) -> tuple[Plane, Plane]:
    keep = (1 - covered) * (1 - dark)
    add = WHITE * covered + BLACK[0] * dark * (1 - covered)
    return np.rint(255 * keep).astype(np.uint8), np.rint(add).astype(np.uint8)


def _mask(image: Image.Image) -> Mask:
    return np.asarray(image, np.float32) / np.float32(255)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def _has(character: str) -> bool:
    """Whether the font draws the character as itself, not as the box that stands for what it lacks."""
    if not character.isprintable():
        return False
    return bytes(_font(32).getmask(character)) != bytes(_font(32).getmask("\U0010fffd"))
