"""Pictures that callers send in JSON: decoded whole before they are taken."""

import base64
import binascii
import io
import re

from contracts.errors import InvalidInput
from store.media import check_picture


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
    return check_picture(io.BytesIO(content), param).suffix.removeprefix(".")
