"""China's advertising law, applied: forbidden terms are found, and replaced where they are no fact of the seller's."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from contracts.advertising import Flag, Rule, rules
from graphs.facts import spans
from graphs.folding import fold

_MASK = "\ufffc"  # stands for a character that no term has


class Lawful(NamedTuple):
    text: str
    flags: list[Flag]


def flags(text: str) -> list[Flag]:
    """The forbidden terms of a text, in their order; they do not overlap."""
    found: list[Flag] = []
    for start, end, rule in sorted(_matches(text), key=lambda match: (match[0], -match[1])):
        if not found or start >= found[-1].end:
            term = text[start:end]
            found.append(Flag(term=term, start=start, end=end, reason=rule.reason, replacement=rule.replacement))
    return found


def rewritten(text: str, facts: Iterable[str] = ()) -> str:
    """The text without forbidden terms, but for those in the facts. A second time changes nothing."""
    return lawful(text, facts).text


def lawful(text: str, facts: Iterable[str] = ()) -> Lawful:
    """The text rewritten, and what was found: terms that were replaced, and those that are kept with the facts."""
    facts, replaced = list(facts), list[Flag]()
    while found := flags(_masked(text, facts)):
        if replaced:  # what a replacement forms with its neighbours goes without one, so that this ends
            found = [flag.model_copy(update={"replacement": ""}) for flag in found]
        text, replaced = _replaced(text, found, replaced)
    return Lawful(text, sorted([*replaced, *flags(text)], key=lambda flag: flag.start))


@cache
def _expressions() -> tuple[list[tuple[re.Pattern[str], Rule]], list[re.Pattern[str]]]:
    terms = [(re.compile(term), rule) for rule in rules() for term in rule.terms]
    return terms, [re.compile(exception) for rule in rules() for exception in rule.exceptions]


def _matches(text: str) -> Iterable[tuple[int, int, Rule]]:
    """Every term that is not a part of an exception."""
    terms, exceptions = _expressions()
    seen = fold(text, blanks=True)
    innocent = sorted(match.span() for exception in exceptions for match in exception.finditer(seen.text))
    reach = [0, *accumulate((end for _, end in innocent), max)]
    for term, rule in terms:
        for start, end in (match.span() for match in term.finditer(seen.text)):
            if reach[bisect_right(innocent, start, key=lambda span: span[0])] < end:
                yield *seen.span(start, end), rule


def _masked(text: str, facts: Sequence[str]) -> str:
    """The same length, with nothing to find in the facts."""
    characters = list(text)
    for start, end in (span for fact in facts for span in spans(fact, text)):
        characters[start:end] = _MASK * (end - start)
    return "".join(characters)


def _replaced(text: str, found: Sequence[Flag], before: Sequence[Flag]) -> tuple[str, list[Flag]]:
    """The text with the replacements of `found`, and all flags where they are then."""
    parts, at = [], 0
    for flag in found:
        parts += [text[at : flag.start], flag.replacement]
        at = flag.end
    grown = [0, *accumulate(len(flag.replacement) - (flag.end - flag.start) for flag in found)]

    def moved(position: int) -> int:
        passed = bisect_right(found, position, key=lambda flag: flag.end)
        within = passed < len(found) and found[passed].start < position
        return (found[passed].start if within else position) + grown[passed]

    def standing(flag: Flag, end: int) -> Flag:
        term = text[flag.start : flag.end] if not flag.rewritten else flag.term
        return flag.model_copy(update={"term": term, "start": moved(flag.start), "end": end, "rewritten": True})

    flags = [standing(flag, moved(flag.end)) for flag in before]
    flags += [standing(flag, moved(flag.start) + len(flag.replacement)) for flag in found]
    return "".join([*parts, text[at:]]), flags
