"""Frames of a camera: what is taken, and which one is looked at."""

import asyncio
import base64
import json
import os

import pytest

from api.media.frames import MOST_BYTES, MOST_LETTERS, Frame, Message, Newest, frame_of
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
    assert frame_of(Message(sent, 3)) == Frame(number, JPEG)


@pytest.mark.parametrize(
    "sent",
    [b"", "", b"GIF89a", "{", "[]", "1", "{}", '{"frame": 1}', '{"frame": "?"}', '{"frame": ""}', "[" * 9_999]
    + [json.dumps({"frame": TEXT, "number": number}) for number in (-1, 1.5, "1", True, 2**60)],
)
def test_what_is_no_frame_is_refused(sent: bytes | str) -> None:
    with pytest.raises(InvalidInput):
        frame_of(Message(sent, 1))


@pytest.mark.parametrize(
    "sent",
    [
        JPEG + bytes(MOST_BYTES),
        json.dumps({"frame": base64.b64encode(JPEG + bytes(MOST_BYTES)).decode()}),
        "[" + "1," * MOST_LETTERS,  # not even read: it would be InvalidInput
    ],
)
def test_a_huge_frame_is_refused(sent: bytes | str) -> None:
    with pytest.raises(TooLarge):
        frame_of(Message(sent, 1))


def test_a_frame_of_the_full_size_fits_into_json() -> None:
    picture = JPEG + os.urandom(MOST_BYTES - len(JPEG))
    text = json.dumps({"frame": base64.b64encode(picture).decode()}).replace("/", "\\/")  # as some write it
    assert frame_of(Message(text, 1)).picture == picture


async def test_the_newest_frame_wins() -> None:
    newest = Newest()
    for number in (1, 2, 3):
        newest.put(Message(JPEG, number))
    assert await newest.take() == (Message(JPEG, 3), 2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(newest.take(), 0.05)
    newest.put(Message(JPEG, 4))
    assert await newest.take() == (Message(JPEG, 4), 0)
