"""Frames of a camera: what is taken, and which one is looked at."""

import asyncio
import base64
import json

import pytest

from api.media.frames import MOST_BYTES, Frame, Newest, frame_of
from contracts.errors import InvalidInput, TooLarge

JPEG = b"\xff\xd8\xff\xe0 and so on"
TEXT = base64.b64encode(JPEG).decode()


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (JPEG, 3),
        (json.dumps({"frame": TEXT}), 3),
        (json.dumps({"frame": f"data:image/jpeg;base64,{TEXT}", "number": 70, "more": 1}), 70),
    ],
)
def test_frames_come_in_three_forms(sent: bytes | str, number: int) -> None:
    assert frame_of(sent, 3) == Frame(number, JPEG)


@pytest.mark.parametrize(
    "sent",
    [b"", "", b"GIF89a", "{", "[]", "1", "{}", '{"frame": 1}', '{"frame": "?"}', '{"frame": ""}', "[" * 9_999]
    + [json.dumps({"frame": TEXT, "number": number}) for number in (-1, 1.5, "1", True, 2**60)],
)
def test_what_is_no_frame_is_refused(sent: bytes | str) -> None:
    with pytest.raises(InvalidInput):
        frame_of(sent, 1)


def test_a_huge_frame_is_refused() -> None:
    with pytest.raises(TooLarge):
        frame_of(JPEG + bytes(MOST_BYTES), 1)


async def test_the_newest_frame_wins() -> None:
    newest = Newest()
    for number in (1, 2, 3):
        newest.put(Frame(number, JPEG))
    assert await newest.take() == (Frame(3, JPEG), 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(newest.take(), 0.05)
    newest.put(Frame(4, JPEG))
    assert await newest.take() == (Frame(4, JPEG), 0)
