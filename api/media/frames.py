"""Frames of a camera: read from messages, of which only the newest waits to be looked at."""

import asyncio
import base64
import binascii
import json
import re
from dataclasses import dataclass

from contracts.errors import InvalidInput, TooLarge

MOST_BYTES = 2 << 20  # of one frame
DATA_URI = re.compile(r"data:image/[a-z]+;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class Frame:
    """`number` counts from 1 in the order in which frames came, unless its sender numbered it."""

    number: int
    picture: bytes


class Newest:
    """Room for one frame: a newer one takes its place."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._there = asyncio.Event()
        self._skipped = 0

    def put(self, frame: Frame) -> None:
        self._skipped += self._there.is_set()
        self._frame = frame
        self._there.set()

    async def take(self) -> tuple[Frame, int]:
        """The frame, once there is one, and how many were replaced since the last."""
        await self._there.wait()
        assert self._frame
        frame, skipped = self._frame, self._skipped
        self._frame, self._skipped = None, 0
        self._there.clear()
        return frame, skipped


def frame_of(data: bytes | str, count: int) -> Frame:
    """A JPEG as it is, or JSON: `{"frame": <base64 or data URI>, "number": 7}`; anything else is `InvalidInput`."""
    number, picture = count, data
    if isinstance(data, str):
        number, picture = _of_json(data, count)
    if len(picture) > MOST_BYTES:
        raise TooLarge(f"一帧不能超过 {MOST_BYTES >> 20} MB。", param="frame")
    if not isinstance(picture, bytes) or not picture.startswith(b"\xff\xd8"):
        raise InvalidInput("应为 JPEG 图像。", param="frame")
    return Frame(number, picture)


def _of_json(text: str, count: int) -> tuple[int, bytes]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("应为 JPEG 图像，或含有 frame 字段的 JSON。", param="frame") from None
    encoded = message.get("frame") if isinstance(message, dict) else None
    if not isinstance(encoded, str):
        raise InvalidInput("缺少 frame 字段：JPEG 图像的 base64。", param="frame")
    number = message.get("number", count)
    if type(number) is not int or not 0 <= number < 2**53:
        raise InvalidInput("应为非负整数。", param="number")
    try:
        return number, base64.b64decode(DATA_URI.sub("", encoded, count=1), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("不是有效的 base64。", param="frame") from None
