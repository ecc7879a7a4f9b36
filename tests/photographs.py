"""Real photographs, of the wheels that are installed anyway, in the forms in which people send them."""

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from skimage import data
from sklearn.datasets import load_sample_image

ASTRONAUT = (178, 64, 270, 176)  # x1, y1, x2, y2 of her face, drawn by hand
CAMERAMAN = (199, 116, 256, 194)  # of his, in profile
TURNS = {  # what a camera stores that was held so
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@cache
def photograph(name: str) -> Image.Image:
    """One of scikit-image's or of scikit-learn's."""
    pixels = load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(data, name)()
    return Image.fromarray(pixels).convert("RGB")


def cut_out(number: int) -> Image.Image:
    """Of LFW (scikit-image has a part of it) a face (0–99) or a part without one (100–199), six times as large."""
    grey = Image.fromarray((data.lfw_subset()[number] * 255).astype(np.uint8))
    large = np.asarray(grey.convert("RGB").resize((150, 150), Image.Resampling.BICUBIC))
    return Image.fromarray(np.pad(large, ((30, 30), (30, 30), (0, 0)), mode="edge"))


def crowd() -> Image.Image:
    """The astronaut and the cameraman beside each other."""
    both = Image.new("RGB", (1024, 512))
    both.paste(photograph("astronaut"), (0, 0))
    both.paste(photograph("camera"), (512, 0))
    return both


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def turned(picture: Image.Image, orientation: int) -> bytes:
    """As a camera stores it that was held so: upright, it is the picture."""
    exif, turn = Image.Exif(), TURNS[orientation]
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(picture if turn is None else picture.transpose(turn), exif=exif, quality=95)


def sixteen_bits(picture: Image.Image) -> bytes:
    """Greys, in a PNG of two bytes each."""
    return encoded(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")
