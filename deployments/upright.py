"""Pictures as models look at them."""

import io

from PIL import ExifTags, Image

from contracts.errors import InvalidInput
from contracts.pictures import BROKEN, FORMATS, MOST_PIXELS

MOST_RATIO = 32  # of the longer side to the shorter one: models bring either to a size of theirs
TURNS = {  # what undoes each of EXIF's orientations
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(content: bytes) -> Image.Image:
    """The picture as people see it: turned as its EXIF says, in RGB. One that does not decode is `InvalidInput`."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InvalidInput("图片过大。", param="image")
            if max(picture.size) > MOST_RATIO * min(picture.size):
                raise InvalidInput(f"图片过于狭长，长宽比不能超过 {MOST_RATIO}。", param="image")
            return _in_rgb(turned(picture))
    except BROKEN:
        raise InvalidInput("不是可读的 PNG、JPEG 或 WebP 图片。", param="image") from None


def turned(picture: Image.Image) -> Image.Image:
    """As its EXIF says. `ImageOps.exif_transpose` would write the EXIF anew, and fail at tags that are broken."""
    picture.load()  # of a PNG, its EXIF may come last
    turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _in_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a channel, and what is transparent on white."""
    if picture.mode.startswith("I"):  # Pillow would cut off all that is above 255
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
