"""Captions and SubRip files, read back by a parser of its own."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.video import Caption
from graphs.split import readable
from graphs.subtitles import captions, srt

pieces = st.lists(st.tuples(st.text(max_size=30), st.floats(0, 30)), max_size=20)
TIME = re.compile(r"(\d\d+):([0-5]\d):([0-5]\d),(\d{3}) --> (\d\d+):([0-5]\d):([0-5]\d),(\d{3})")


def parsed(content: str) -> list[tuple[int, int, str]]:
    """(start, end, text) of each block, times in milliseconds; blocks are parted by one empty line."""
    found = []
    lines = iter(content.split("\n"))
    for number, line in enumerate(lines, 1):
        if not line:
            break
        assert line == str(number)
        match = TIME.fullmatch(next(lines))
        assert match
        h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups())
        start, end = ((h * 60 + m) * 60 + s) * 1000 + ms, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
        found.append((start, end, next(lines)))
        assert next(lines) == ""
    assert list(lines) == []
    return found


def test_captions_follow_one_another_from_zero() -> None:
    found = captions([("你好。", 1.5), (" …… ", 0.5), ("Hello there. ", 2.25)])
    assert found == [
        Caption(text="你好。", start_s=0, end_s=1.5),
        Caption(text="Hello there.", start_s=2, end_s=4.25),
    ]


@given(pieces)
def test_every_readable_piece_has_its_time(pieces: list[tuple[str, float]]) -> None:
    found = captions(pieces)
    assert [caption.text for caption in found] == [text.strip() for text, _ in pieces if readable(text)]
    if pieces and readable(pieces[-1][0]):
        assert found[-1].end_s == pytest.approx(sum(duration for _, duration in pieces))
    for one, two in pairwise(found):
        assert one.end_s <= two.start_s


def test_a_file_is_as_players_expect() -> None:
    content = srt(captions([("你好，\n世界。", 1.2345), ("Hello --> there\r\nagain", 3660)]))
    assert content == (
        "1\n00:00:00,000 --> 00:00:01,234\n你好， 世界。\n\n2\n00:00:01,234 --> 01:01:01,234\nHello → there again\n"
    )


@given(pieces)
def test_a_file_is_read_back(pieces: list[tuple[str, float]]) -> None:
    given_captions = captions(pieces)
    read = parsed(srt(given_captions))
    assert len(read) == len(given_captions)
    for (start, end, text), caption in zip(read, given_captions, strict=True):
        assert abs(start - caption.start_s * 1000) <= 0.51
        assert abs(end - caption.end_s * 1000) <= 0.51
        assert "".join(text.split()) == "".join(caption.text.split()).replace("-->", "→")
    for (start, end, _), (after, _, _) in pairwise([*read, (10**9, 10**9, "")]):
        assert start <= end <= after


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), max_size=10))
def test_times_never_run_backwards(times: list[tuple[float, float]]) -> None:
    read = parsed(srt(Caption(text="a", start_s=start, end_s=end) for start, end in times))
    assert [moment for start, end, _ in read for moment in (start, end)] == sorted(
        moment for start, end, _ in read for moment in (start, end)
    )
