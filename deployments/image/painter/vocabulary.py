"""The words of a text that the painter knows, with the colours and numbers said of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from deployments.image.painter.words import PLURALS, TABLES

CLAUSE = re.compile(r"[.。;；!！?？\n]")
LENGTH = re.compile(r"\b(long|short) (\w+) hair\b")
REACH = 24  # characters between a colour or a number and its noun


@dataclass(frozen=True)
class Hit:
    """A phrase of the vocabulary in a text."""

    kind: str
    name: str
    start: int
    end: int
    many: bool = False


@dataclass
class Noun:
    """A hit with the colour and the number said of it."""

    kind: str
    name: str
    colour: str = ""
    count: int = 0
    many: bool = False
    wears: list[tuple[str, str]] = field(default_factory=list)


def _entries() -> Iterator[tuple[str, str, str, bool]]:
    for kind, table in TABLES.items():
        for name, phrases in table.items():
            english, _, chinese = phrases.partition(";")
            yield from ((phrase.strip(), kind, name, True) for phrase in english.split(",") if phrase.strip())
            yield from ((word, kind, name, False) for word in chinese.split())


def _plural(phrase: str) -> str:
    if phrase.endswith("y") and phrase[-2] not in "aeiou":
        return re.escape(phrase[:-1]) + "(?:y|ies)"
    return re.escape(phrase) + "(?:s|es)?"


ENTRIES = {phrase: (kind, name) for phrase, kind, name, _ in _entries()}
PHRASES = sorted(_entries(), key=lambda entry: -len(entry[0]))
ENGLISH = r"(?<![a-z])(?:" + "|".join(_plural(entry[0]) for entry in PHRASES if entry[3]) + r")(?![a-z])"
CHINESE = "|".join(re.escape(entry[0]) for entry in PHRASES if not entry[3])
VOCABULARY = re.compile(f"{ENGLISH}|{CHINESE}")


def hits(text: str) -> list[Hit]:
    """The phrases of the vocabulary in the text, in order, the longest at each place."""
    return [hit for match in VOCABULARY.finditer(text.lower()) if (hit := _hit(match)).kind != "nothing"]


def _hit(match: re.Match[str]) -> Hit:
    said = match[0]
    singulars = (said, said.removesuffix("s"), said.removesuffix("es"), said.removesuffix("ies") + "y")
    singular = next(phrase for phrase in singulars if phrase in ENTRIES)
    many = said != singular or said in PLURALS or match.string[match.end() : match.end() + 1] == "们"
    return Hit(*ENTRIES[singular], match.start(), match.end(), many)


def nouns(text: str) -> list[Noun]:
    """The nouns of a text with their colours and numbers; clothes and parts hang on the figure that they belong to."""
    found: list[Noun] = []
    waiting: list[tuple[str, str]] = []  # clothes named before their figure
    colour, count, since = "", 0, 0
    text = LENGTH.sub(r"\2 \1 hair", text)
    for hit in hits(text):
        if CLAUSE.search(text[since : hit.start]) or hit.start - since > REACH:
            colour, count = "", 0
        since = hit.end
        if hit.kind == "colour":
            colour = colour or hit.name
        elif hit.kind == "count":
            count = int(hit.name)
        elif hit.kind in UNCOLOURED:
            found.append(Noun(hit.kind, hit.name))
        else:
            noun = Noun(hit.kind, hit.name, colour, count, hit.many)
            _hang(found, waiting, noun, before=text[hit.end : hit.end + 1] == "的")
            colour, count = "", 0
    return found


UNCOLOURED = frozenset({"hour", "weather", "ground", "pose", "mood"})


def _hang(found: list[Noun], waiting: list[tuple[str, str]], noun: Noun, before: bool) -> None:
    """Clothes go to the last figure, or wait for the next one where there is none or the words say so (`before`)."""
    bearer = next((one for one in reversed(found) if one.kind in ("animal", "person")), None)
    if noun.kind != "wear":
        if noun.kind in ("animal", "person"):
            noun.wears, waiting[:] = list(waiting), []
        found.append(noun)
    elif bearer is None or before:
        waiting.append((noun.name, noun.colour))
    else:
        bearer.wears.append((noun.name, noun.colour))
