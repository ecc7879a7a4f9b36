"""Captions on the time base of their narration, and SubRip and WebVTT files of them."""

from collections.abc import Iterable, Iterator
from html import escape

from contracts.video import Caption
from graphs.split import readable


def captions(pieces: list[tuple[str, float]]) -> list[Caption]:
    """A caption for each (text, duration in seconds), one after another from 0, without gaps.

    A piece with nothing to read gives no caption, and its time passes. Times do not drift: each is the sum from 0.
    """
    found: list[Caption] = []
    at = 0.0
    for text, duration_s in pieces:
        end = at + duration_s
        if readable(text):
            found.append(Caption(text=text.strip(), start_s=at, end_s=end))
        at = end
    return found


def srt(captions: Iterable[Caption]) -> str:
    """A SubRip file. Times are whole milliseconds, never overlap and never run backwards; texts are one line each."""
    timed = enumerate(_timed(captions), 1)
    return "\n".join(f"{at}\n{_time(start)} --> {_time(end)}\n{text}\n" for at, (start, end, text) in timed)


def vtt(captions: Iterable[Caption]) -> str:
    """The same as WebVTT."""
    timed = _timed(captions)
    cues = (f"{_time(start, '.')} --> {_time(end, '.')}\n{escape(text, quote=False)}\n" for start, end, text in timed)
    return "\n".join(["WEBVTT\n", *cues])


def _timed(captions: Iterable[Caption]) -> Iterator[tuple[int, int, str]]:
    """Start, end, in milliseconds, and text."""
    last = 0
    for caption in captions:
        start = max(last, round(caption.start_s * 1000))
        last = max(start, round(caption.end_s * 1000))
        yield start, last, _line(caption.text)


def _line(text: str) -> str:
    """One line that a reader cannot take for a time."""
    return " ".join(text.split()).replace("-->", "→")


def _time(milliseconds: int, point: str = ",") -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{milliseconds:03}"
