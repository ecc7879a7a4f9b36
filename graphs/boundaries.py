"""Where a text may be cut: what the characters between two spoken ones mean.

A text is taken as spoken characters (letters, digits, ideographs) with gaps between them: everything else. Cuts fall
in gaps only, so no piece is without something to say.
"""

import re
import unicodedata
from enum import IntEnum
from typing import NamedTuple

OPENERS = frozenset("“‘「『《〈（【〔［｛([{<$¥￥€£#@+-−*¿¡")
ENDS = re.compile(r"[。｡！？!?．‼⁇⁈⁉]|\.")
ELLIPSIS = re.compile(r"…|⋯|\.\.")
CLAUSES = re.compile(r"[，,；;：:、､—―–…⋯~～]|\.|\s-+\s")
QUOTES = re.compile(r"[”’」』\"']")
INWARD = re.compile(r"[\x21-\x7e’‘‐‑·•・]+")  # inside words, numbers and addresses: don't, 3.14, a@b.org
NUMERIC = re.compile(r"[．：，／–~～]")  # the same between digits: 3．5, 10：30, 10–20
WORD = re.compile(r"[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*$")
INITIALS = re.compile(r"[A-Z]|[A-Za-z](?:\.[A-Za-z])+")

TITLES = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "st", "rev", "gen", "sen", "rep", "gov", "capt", "lt", "col", "sgt", "hon"}
    | {"vs", "e.g", "i.e", "cf", "approx", "mt", "ft"}
)
TAILS = frozenset(  # they may end a sentence too
    {"a.m", "p.m", "etc", "al", "jr", "sr", "inc", "ltd", "co", "corp", "bros", "ph.d", "b.c", "a.d"}
)
COUNTED = frozenset(  # No. 5, Dec. 18
    {"no", "nos", "fig", "figs", "vol", "vols", "ch", "sec", "p", "pp", "art", "eq", "ver", "tel"}
    | {"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"}
)
LOOKBACK = 12  # characters before a gap that decide what its full stop means


class Strength(IntEnum):
    """How good a place a gap is to cut at."""

    NONE = 0
    HARD = 1  # only where nothing else is left
    SPACE = 2
    CLAUSE = 3
    END = 4


class Gap(NamedTuple):
    """What lies between two spoken characters. `first`: nothing but the text before it stands in its piece or line."""

    before: str  # up to LOOKBACK characters of the piece, the last of them spoken
    text: str
    after: str
    first: bool


def wide(character: str) -> bool:
    """Whether the character takes two columns: ideographs, kana, hangul, full-width forms."""
    return unicodedata.east_asian_width(character) in "WF"


def strength(gap: Gap) -> Strength:
    """How good a place the gap is. Depends on nothing after the next spoken character."""
    if not gap.text:
        return Strength.HARD if wide(gap.before[-1]) or wide(gap.after) else Strength.NONE
    if _joins(gap):
        return Strength.NONE
    if "\n" in gap.text:
        return Strength.SPACE if _wrapped(gap) else Strength.END
    if ENDS.search(gap.text):
        return _end(gap)
    if CLAUSES.search(gap.text):
        return Strength.CLAUSE
    return Strength.SPACE


def cut(text: str, quoted: bool) -> tuple[int, bool]:
    """Where in a gap's text the next piece begins, and whether a straight quotation is open after it.

    Closing marks and spaces stay with what was said; opening marks go with what comes.
    """
    at = 0
    for index, character in enumerate(text):
        if character == "\n":
            quoted = False
        opens = character in OPENERS
        if character == '"':
            opens = quoted = _opens(text, index, quoted)
        elif character == "'":
            opens = index > 0 and text[index - 1].isspace()
        if not opens:
            at = index + 1
    line = text.rfind("\n") + 1
    return line or at, quoted


def _opens(text: str, index: int, quoted: bool) -> bool:
    """A straight quotation mark opens after a space, closes before one, and takes turns elsewhere."""
    if index + 1 < len(text) and text[index + 1].isspace():
        return False
    if index and text[index - 1].isspace():
        return True
    return not quoted


def _joins(gap: Gap) -> bool:
    """Whether the gap is part of a word, number or address."""
    before, text, after = gap.before[-1], gap.text, gap.after
    if NUMERIC.fullmatch(text) and before.isdigit() and after.isdigit():
        return True
    if all(unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") for character in text[:LOOKBACK]):
        return len(text) <= LOOKBACK
    if INWARD.fullmatch(text) and not wide(before) and not wide(after):
        return True
    return text == "." and before.isdigit()  # 1.苹果


def _wrapped(gap: Gap) -> bool:
    """Whether a line break is only the width of a page: prose that goes on in lower case."""
    return gap.text.strip(" ") in ("\n", "\r\n", ",\n", ",\r\n") and gap.before[-1].isascii() and gap.after.islower()


def _end(gap: Gap) -> Strength:
    text, after = gap.text, gap.after
    if not re.search(r"[。｡！？!?．‼⁇⁈⁉]", text):
        if ELLIPSIS.search(text):
            return Strength.END if after.isupper() and any(map(str.isspace, text)) else Strength.CLAUSE
        if text[0] == "." and _abbreviated(gap):
            return Strength.NONE
        return Strength.CLAUSE if after.islower() else Strength.END
    return Strength.CLAUSE if after.islower() and QUOTES.search(text) else Strength.END


def _abbreviated(gap: Gap) -> bool:
    """Whether the full stop belongs to the word before it."""
    found = WORD.search(gap.before)
    if not found:
        return False
    word = found.group()
    if word.isdigit():
        return gap.first and len(word) <= 3  # 1. First item
    if word.lower() in TAILS:
        return not gap.after.isupper() and not wide(gap.after)
    if word.lower() in COUNTED and gap.after.isdigit():
        return True
    return word.lower() in TITLES or (word != "I" and INITIALS.fullmatch(word) is not None)
