"""What a diffusion pipeline gives, as pictures or as the reason why there is none."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from contracts.errors import EngineFailed
from contracts.image import ImageRequest, Picture


def outcome(pixels: NDArray[np.float32], unsafe: bool) -> Picture | EngineFailed:
    """`pixels`: (rows, columns, 3), 0-1; `unsafe`: the model's own checker refuses it."""
    if unsafe:
        return EngineFailed("生成的图片没有通过模型的安全检查，请换一种描述。")
    if not np.isfinite(pixels).all():
        return no_picture()
    return picture_of(Image.fromarray(np.rint(pixels * 255).astype(np.uint8)))


def picture_of(image: Image.Image) -> Picture:
    """As a PNG."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(png=file.getvalue(), width=image.width, height=image.height)


def no_picture() -> EngineFailed:
    """Half precision overflows with some parameters."""
    return EngineFailed("模型没有算出图片（结果不是数），请换一组参数。")


def enlarged(picture: Picture, request: ImageRequest) -> Picture:
    """At the size that the request has."""
    if (picture.width, picture.height) == (request.width, request.height):
        return picture
    with Image.open(io.BytesIO(picture.png)) as drawn:
        return picture_of(drawn.resize((request.width, request.height), Image.Resampling.LANCZOS))
