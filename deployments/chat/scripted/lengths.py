"""Texts brought to a length: whole clauses where possible, then standing phrases to fill, then a cut."""

import re
from random import Random

from contracts.prompts import Language, length_of
from deployments.chat.scripted import marks

_CLAUSE = {
    "zh": re.compile(r"(?:[^，。！？；：,!?;\n]|,(?=\d))+[，。！？；：,!?;\n…”]*|."),
    "en": re.compile(r"\S+\s*"),
}
_TRAILING = "，、；：,;: \n"


def fit(text: str, size: int, fillers: list[str], language: Language, rng: Random) -> str:
    """The text within a tenth of `size` characters (`length_of`), where its own words and the fillers allow that."""
    size, slack = max(size, 1), size // 10
    if length_of(text) > size + slack:
        text = trim(text, size + slack, language)
    missing = size - length_of(text)
    if missing > slack:
        text = _extend(text, missing, slack, fillers, language, rng)
    return text


def trim(text: str, size: int, language: Language) -> str:
    """At most `size` characters, ending with a clause or word of its own, or cut when none is short enough."""
    kept = ""
    for clause in _CLAUSE[language].findall(text):
        if length_of(kept + clause.rstrip(_TRAILING)) + 1 > size:
            break
        kept += clause
    if length_of(kept) < size * 2 // 3:
        kept = _beginning(text, max(size - 1, 0))
    kept = kept.rstrip(_TRAILING)
    return kept if marks.sentences(kept, language) and kept[-1] in "。！？…”.!?" else kept + _stop(language)


def _extend(text: str, missing: int, slack: int, fillers: list[str], language: Language, rng: Random) -> str:
    """With fillers that together are about as long as what is missing; short ones only where nothing else fits."""
    gap = "" if language == "zh" else " "
    order = sorted(rng.sample(fillers, len(fillers)), key=_short)
    best: dict[int, list[str]] = {0: []}
    for filler in order:
        for length, chosen in list(best.items()):
            best.setdefault(length + len(gap) + len(filler), [*chosen, filler])
    reach = [length for length in best if length <= missing + 2 * slack]

    def cost(length: int) -> tuple[int, int, int]:
        off = abs(missing - length)
        return max(off - slack // 2, 0), sum(map(_short, best[length])), off

    return gap.join(filter(None, [text, *best[min(reach, key=cost)]]))


def _short(filler: str) -> bool:
    return len(filler) < 5


def _beginning(text: str, size: int) -> str:
    """So many characters at most; a number or word that would be cut is left out, if anything stands before it."""
    end = next((end for end in range(size, len(text)) if length_of(text[: end + 1]) > size), len(text))
    cut = re.match(r"[0-9A-Za-z.,%]", text[end:]) and re.search(r"(?<=[^0-9A-Za-z.,%¥$])[0-9A-Za-z.,%¥$]+$", text[:end])
    return text[: cut.start()] if cut else text[:end]


def _stop(language: Language) -> str:
    return "。" if language == "zh" else "."
