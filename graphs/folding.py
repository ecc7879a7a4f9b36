"""Texts as a reader compares them: width and case do not matter, nor what cannot be seen."""

import unicodedata
from typing import NamedTuple


class Folded(NamedTuple):
    """`at[i]` is where character `i` stands in the text that was folded."""

    text: str
    at: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that a part of the folded text comes from. Neither is empty."""
        return self.at[start], self.at[end - 1] + 1


def fold(text: str, *, blanks: bool) -> Folded:
    """Half-width lower case without invisible characters; `blanks`: whether whitespace is kept."""
    folded = [(character, at) for at, original in enumerate(text) for character in _folded(original)]
    kept = [(character, at) for character, at in folded if blanks or not character.isspace()]
    return Folded("".join(character for character, _ in kept), [at for _, at in kept])


def _folded(character: str) -> str:
    if character.isascii():
        return character.lower()
    invisible = unicodedata.category(character) == "Cf" or character in "\ufe0e\ufe0f"
    return "" if invisible else unicodedata.normalize("NFKD", character).casefold()
