"""Pictures: decoded whole before they are taken, within a bound of pixels."""

import warnings
from threading import BoundedSemaphore
from typing import IO

from PIL import ExifTags, Image, UnidentifiedImageError

from contracts.errors import InvalidInput, TooLarge
from contracts.media import Media
from contracts.pictures import BROKEN, FORMATS, MOST_PIXELS

SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "WEBP": ".webp",
}  # MPO: a JPEG of a telephone, with more in it
QUARTER_TURNS = (5, 6, 7, 8)  # of EXIF's orientations
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_turns = BoundedSemaphore(4)  # a small file may hold 160 MB of pixels


def check_picture(file: IO[bytes], param: str) -> Media:
    """A PNG, JPEG or WebP, of which every byte was read; anything else is `InvalidInput`, a huge one `TooLarge`."""
    try:
        with _turns, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken metadata; and Pillow's own bound, which is higher
            _opened(file, param).verify()  # checksums, which decoding does not look at; it spoils the object
            with _opened(file, param) as picture:
                picture.load()
                suffix = SUFFIXES[picture.format or ""]
                turned = picture.getexif().get(ExifTags.Base.Orientation) in QUARTER_TURNS
                return Media("image", suffix, TYPES[suffix], None, *picture.size, on_its_side=turned)
    except (UnidentifiedImageError, *BROKEN):
        raise InvalidInput("不是可读的 PNG、JPEG 或 WebP 图片。", param=param) from None


def _opened(file: IO[bytes], param: str) -> Image.Image:
    file.seek(0)
    picture = Image.open(file, formats=FORMATS)
    if picture.width * picture.height > MOST_PIXELS:
        raise TooLarge(f"图片过大，最多 {MOST_PIXELS // 10_000} 万像素。", param=param)
    return picture
