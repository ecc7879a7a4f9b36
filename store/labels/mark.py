"""The visible mark: words in the top right corner (captions of a film are at the bottom)."""

import math
import struct
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps, JpegImagePlugin, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from contracts.errors import UnsupportedMedia
from store.labels.refusal import refusing

FONT = Path(__file__).parents[2] / "catalog/fonts/NotoSansSC-Regular.otf"
WORDS = "AI生成"
HEIGHT = 0.05  # of the shorter side: the least for a capital; hanzi are taller
SMALLEST_PX = 8  # what can be read at all
PILL, INK = (0, 0, 0, 160), (255, 255, 255, 255)
FORMATS = ("PNG", "JPEG", "WEBP")
COMPLAINTS = (
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    EOFError,
    struct.error,
)


def mark_picture(content: bytes, words: str = WORDS) -> bytes:
    """The same picture in the same format, marked, its metadata kept.

    PNG and WebP change under the mark only (WebP is saved without loss). JPEG is encoded again with its own tables,
    so the rest is equal but for rounding. Other formats, and moving pictures: `UnsupportedMedia`.
    """
    image = _open(content)
    if getattr(image, "is_animated", False):
        raise UnsupportedMedia("不支持动态图片。")
    with refusing(*COMPLAINTS):
        upright = ImageOps.exif_transpose(image)
        asked = _saving(image, upright)
    marked, out = stamp(upright, words), BytesIO()
    marked.save(out, image.format, **asked)
    return out.getvalue()


def stamp(image: Image.Image, words: str = WORDS) -> Image.Image:
    """A marked copy: RGB, RGBA or grey."""
    if image.mode not in ("RGB", "RGBA", "L") or (image.has_transparency_data and image.mode != "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    sign = badge(min(image.size), words)
    margin = sign.height // 4
    corner = max(image.width - sign.width - margin, 0), min(margin, max(image.height - sign.height, 0))
    layer = Image.new("RGBA", image.size)
    layer.paste(sign, corner)
    if image.mode == "RGBA":
        return Image.alpha_composite(image, layer)
    marked = image.copy()
    marked.paste(layer.convert(image.mode), mask=layer.getchannel("A"))
    return marked


@lru_cache(maxsize=16)
def badge(shorter_px: int, words: str = WORDS) -> Image.Image:
    """The words, white on a dark pill, RGBA, for a picture whose shorter side has so many pixels."""
    font = _font(max(SMALLEST_PX, math.ceil(shorter_px * HEIGHT)))
    left, top, right, bottom = font.getbbox(words)
    pad = math.ceil((bottom - top) * 0.35)
    size = math.ceil(right - left) + 2 * pad, math.ceil(bottom - top) + 2 * pad
    sign = Image.new("RGBA", size)
    draw = ImageDraw.Draw(sign)
    draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=pad, fill=PILL)
    draw.text((pad - left, pad - top), words, font=font, fill=INK)
    return sign


def _font(capital_px: int) -> ImageFont.FreeTypeFont:
    """Sized so that a capital is one pixel taller than asked: its edges are soft."""
    _, top, _, bottom = ImageFont.truetype(FONT, 1_000).getbbox("A")
    return ImageFont.truetype(FONT, math.ceil((capital_px + 1) * 1_000 / (bottom - top)))


def _open(content: bytes) -> Image.Image:
    with refusing(*COMPLAINTS):
        try:
            image = Image.open(BytesIO(content), formats=FORMATS)
        except UnidentifiedImageError:
            raise UnsupportedMedia("只能标记 PNG、JPEG 和 WebP 图片。") from None
        image.load()
    return image


def _saving(image: Image.Image, upright: Image.Image) -> dict[str, Any]:
    """What the encoder needs to keep what the picture came with."""
    asked: dict[str, Any] = {name: image.info[name] for name in ("icc_profile", "dpi", "xmp") if name in image.info}
    if exif := upright.getexif():
        asked["exif"] = exif
    if image.format == "WEBP":
        asked["lossless"] = True
    elif image.format == "PNG":
        asked["pnginfo"] = _texts(image)
        asked.pop("xmp", None)  # among the texts
    elif isinstance(image, JpegImagePlugin.JpegImageFile):
        asked |= {"qtables": image.quantization, "subsampling": JpegImagePlugin.get_sampling(image)}
        asked["progressive"] = bool(image.info.get("progressive"))
    return asked


def _texts(image: Image.Image) -> PngInfo:
    texts = PngInfo()
    for name, text in getattr(image, "text", {}).items():
        texts.add_itxt(name, str(text), getattr(text, "lang", None) or "", getattr(text, "tkey", None) or "")
    return texts
