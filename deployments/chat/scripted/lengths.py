"""Texts brought to a length: whole clauses where possible, then standing phrases to fill, then a cut."""

import re
from random import Random

from contracts.prompts import Language
from deployments.chat.scripted import marks

_CLAUSE = {
    "zh": re.compile(r"[^，。！？；：,!?;\n]+[，。！？；：,!?;\n…”]*|."),
    "en": re.compile(r"\S+\s*"),
}
_TRAILING = "，、；：,;: \n"


def fit(text: str, size: int, fillers: list[str], language: Language, rng: Random) -> str:
    """The text within a tenth of `size` characters, where its own words and the fillers allow that."""
    size, slack = max(size, 1), size // 10
    if len(text) > size + slack:
        text = trim(text, size + slack, language)
    missing = size - len(text)
    if missing > slack:
        text = _extend(text, missing, slack, fillers, language, rng)
    return text


def trim(text: str, size: int, language: Language) -> str:
    """At most `size` characters, ending with a clause or word of its own, or cut when none is short enough."""
    kept = ""
    for clause in _CLAUSE[language].findall(text):
        if len(kept) + len(clause.rstrip(_TRAILING)) + 1 > size:
            break
        kept += clause
    if len(kept) < size * 2 // 3:
        kept = text[: max(size - 1, 0)]
    kept = kept.rstrip(_TRAILING)
    return kept if marks.sentences(kept, language) and kept[-1] in "。！？…”.!?" else kept + _stop(language)


def _extend(text: str, missing: int, slack: int, fillers: list[str], language: Language, rng: Random) -> str:
    """The fillers whose lengths together come nearest to what is missing."""
    gap = "" if language == "zh" else " "
    order = rng.sample(fillers, len(fillers))
    best: dict[int, list[str]] = {0: []}
    for filler in order:
        for length, chosen in list(best.items()):
            best.setdefault(length + len(gap) + len(filler), [*chosen, filler])
    reach = [length for length in best if length <= missing + slack]
    chosen = best[min(reach, key=lambda length: abs(missing - length))]
    return gap.join(filter(None, [text, *sorted(chosen, key=lambda filler: len(filler) < 4)]))


def _stop(language: Language) -> str:
    return "。" if language == "zh" else "."
