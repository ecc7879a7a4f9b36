"""Frames of a camera: read from messages, of which only the newest waits to be looked at."""

import asyncio
import base64
import binascii
import json
import re
from dataclasses import dataclass

from contracts.errors import InvalidInput, TooLarge

MOST_BYTES = 2 << 20  # of one frame
MOST_LETTERS = 2 * MOST_BYTES  # of JSON with one: base64 takes a third more, and some escape its slashes
DATA_URI = re.compile(r"data:image/[a-z]+;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """What came, unread; the first has the `count` 1."""

    data: bytes | str
    count: int


@dataclass(frozen=True)
class Frame:
    """`number` counts from 1 in the order in which frames came, unless its sender numbered it."""

    number: int
    picture: bytes


class Newest:
    """Room for one message: a newer one takes its place, so that what is never looked at is not even read."""

    def __init__(self) -> None:
        self._message: Message | None = None
        self._there = asyncio.Event()
        self._skipped = 0

    def put(self, message: Message) -> None:
        self._skipped += self._there.is_set()
        self._message = message
        self._there.set()

    async def take(self) -> tuple[Message, int]:
        """The message, once there is one, and how many were replaced since the last."""
        await self._there.wait()
        assert self._message
        message, skipped = self._message, self._skipped
        self._message, self._skipped = None, 0
        self._there.clear()
        return message, skipped


def frame_of(message: Message) -> Frame:
    """A JPEG as it is, or JSON: `{"frame": <base64 or data URI>, "number": 7}`; anything else is `InvalidInput`."""
    data, number = message.data, message.count
    picture = data if isinstance(data, bytes) else b""
    if isinstance(data, str) and len(data) <= MOST_LETTERS:
        number, picture = _of_json(data, number)
    if len(picture) > MOST_BYTES or len(data) > MOST_LETTERS:
        raise TooLarge(f"一帧不能超过 {MOST_BYTES >> 20} MB。", param="frame")
    if not picture.startswith(b"\xff\xd8"):
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
