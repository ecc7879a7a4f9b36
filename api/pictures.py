"""Pictures that callers send: decoded whole before they are taken."""

import base64
import binascii
import io
import re
import warnings

from PIL import Image, UnidentifiedImageError

from contracts.errors import InvalidInput, TooLarge

MOST_PIXELS = 40_000_000
KINDS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


def decoded(uri: str, param: str) -> tuple[bytes, str]:
    """The picture in a data URI and its file suffix, once it has been decoded whole."""
    match = re.match(r"data:image/[\w.+-]+;base64,", uri[:64])
    if not match:
        raise InvalidInput("应为 data:image/…;base64,…", param=param)
    try:
        content = base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("base64 无效。", param=param) from None
    return content, kind_of(content, param)


def kind_of(content: bytes, param: str) -> str:
    """The file suffix of a picture; what is none, is broken or is too large is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
            with Image.open(io.BytesIO(content), formats=list(KINDS)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise TooLarge("图片过大。", param=param)
                picture.load()
                return KINDS[picture.format or ""]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InvalidInput("不是可读的 PNG、JPEG 或 WebP 图片。", param=param) from None
