"""Pictures as models look at them."""

import io

from PIL import Image, ImageOps


def upright(content: bytes) -> Image.Image:
    """The picture as people see it: turned as its EXIF says, in RGB; of an animation, its first frame."""
    with Image.open(io.BytesIO(content)) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")
