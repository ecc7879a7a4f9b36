"""Where a line of words may be broken: between ideographs, and at spaces elsewhere."""

import unicodedata
from collections.abc import Callable

NOT_FIRST = frozenset("，。、；：！？…—～·”’）》」』】〉〕］｝,.;:!?)]}%％ー々")
NOT_LAST = frozenset("“‘（《「『【〈〔［｛([{￥$#")

MARKLESS = 1.25  # how much shorter lines must be for a break that is not after a mark

Measure = Callable[[str], float]


def wrapped(text: str, width: float, measure: Measure) -> list[str] | None:
    """The text in one line, or in two of about one length; None if two do not hold it."""
    if measure(text) <= width:
        return [text]
    if measure(text) > 2 * width:
        return None
    parts = units(text)
    breaks = [["".join(parts[:at]).strip(), "".join(parts[at:]).strip()] for at in range(1, len(parts))]
    fitting = [lines for lines in breaks if max(map(measure, lines)) <= width]
    return min(fitting, key=lambda lines: _cost(lines, measure), default=None)


def _cost(lines: list[str], measure: Measure) -> float:
    return max(map(measure, lines)) * (1 if lines[0][-1:] in NOT_FIRST else MARKLESS)


def shortened(text: str, width: float, measure: Measure) -> list[str]:
    """As much of the text as two lines hold, and an ellipsis."""
    fits, fails = 0, len(text)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if wrapped(text[:middle].rstrip() + "…", width, measure):
            fits = middle
        else:
            fails = middle
    return wrapped(text[:fits].rstrip() + "…", width, measure) or ["…"]


def units(text: str) -> list[str]:
    """The pieces that a line is made of, which joined are the text: words, and ideographs with their marks."""
    found: list[str] = []
    for character in text:
        if found and _joins(found[-1][-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _joins(before: str, after: str) -> bool:
    if after.isspace() or after in NOT_FIRST or before in NOT_LAST:
        return True
    return not before.isspace() and not _wide(before) and not _wide(after)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
