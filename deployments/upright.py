"""Pictures as models look at them."""

import io
import struct
import zlib

from PIL import Image, ImageOps

from contracts.errors import InvalidInput

MOST_PIXELS = 40_000_000
MOST_RATIO = 32  # of the longer side to the shorter one: models bring either to a size of theirs
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def upright(content: bytes) -> Image.Image:
    """The picture as people see it: turned as its EXIF says, in RGB. One that does not decode is `InvalidInput`."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InvalidInput("图片过大。", param="image")
            if max(picture.size) > MOST_RATIO * min(picture.size):
                raise InvalidInput(f"图片过于狭长，长宽比不能超过 {MOST_RATIO}。", param="image")
            return _in_rgb(ImageOps.exif_transpose(picture))
    except BROKEN:
        raise InvalidInput("不是可读的 PNG、JPEG 或 WebP 图片。", param="image") from None


def _in_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a channel, and what is transparent on white."""
    if picture.mode.startswith("I"):  # Pillow would cut off all that is above 255
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
