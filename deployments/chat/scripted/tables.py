"""Sentence tables as text, and how their blanks are filled.

A table is lines: `[name]` or `[name tag tag]` starts a beat; `- ` starts a sentence of it, `| ` is another wording of
the same sentence, `> ` is what the picture shows (again with `| ` wordings). After a picture, the next `- ` starts
another variant of the beat. `{slot}` is a blank; `{Slot}` has its first letter raised.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass
class Variant:
    """One way to tell a beat: wordings for each sentence, and wordings of what the picture shows."""

    tags: frozenset[str]
    told: list[list[str]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


Table = dict[str, list[Variant]]


def parse(text: str) -> Table:
    """The table that the text describes. A line of no known kind is a `ValueError`."""
    table: Table = {}
    name, tags = "", frozenset[str]()
    wordings: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            name, *marks = line.strip("[]").split()
            tags, fresh = frozenset(marks), True
            table.setdefault(name, [])
            continue
        kind, words = line[0], line[2:]
        if kind == "-" and (fresh or table[name][-1].shown):
            table[name].append(Variant(tags))
            fresh = False
        if kind not in "-|>":
            raise ValueError(line)
        variant = table[name][-1]
        if kind == "-":
            wordings = []
            variant.told.append(wordings)
        elif kind == ">":
            wordings = variant.shown
        wordings.append(words)
    return table


def fill(template: str, slots: Mapping[str, str]) -> str:
    """The template with its blanks filled once: braces inside a value stay as they are."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return slots[name] if name in slots else raised(slots[name.lower()])

    return _SLOT.sub(value, template)


def raised(text: str) -> str:
    """The text with its first letter as a capital, if that is an ASCII letter."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def choose(rng: Random, options: str) -> str:
    """One of the lines of a block of wordings."""
    return rng.choice([line.strip() for line in options.strip().splitlines()])
