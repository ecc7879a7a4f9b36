"""Captions on the time base of their narration, and SubRip files of them."""

from collections.abc import Iterable

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
    blocks: list[str] = []
    last = 0
    for number, caption in enumerate(captions, 1):
        start = max(last, round(caption.start_s * 1000))
        last = max(start, round(caption.end_s * 1000))
        blocks.append(f"{number}\n{_time(start)} --> {_time(last)}\n{_line(caption.text)}\n")
    return "\n".join(blocks)


def _line(text: str) -> str:
    """One line that a reader cannot take for a time."""
    return " ".join(text.split()).replace("-->", "→")


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
