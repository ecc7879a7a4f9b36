"""Mistakes that people make when they type: what editing has to put right."""

from random import Random

from contracts.prompts import Language
from deployments.chat.scripted.polish_words import TYPOS

_NARROW = {"，": ",", "！": "!", "？": "?", "。": ".", "：": ":"}


def roughened(text: str, rng: Random, language: Language) -> str:
    """The text with a mistake or two: narrow or doubled marks, a missing end, blanks, misspelt words."""
    for mistake in rng.sample((_marks, _end, _blanks, _typos), rng.randint(1, 2)):
        text = mistake(text, rng, language)
    return text


def _marks(text: str, rng: Random, language: Language) -> str:
    """Some marks are doubled, some Chinese ones written as in English."""
    said = []
    for sign in text:
        draw = rng.random()
        narrow = _NARROW.get(sign, sign) if draw < 0.3 else sign
        said.append(sign * 2 if draw > 0.85 and sign in "，。！!" else narrow)
    return "".join(said)


def _end(text: str, rng: Random, language: Language) -> str:
    return text.rstrip("。.！!？?") or text


def _blanks(text: str, rng: Random, language: Language) -> str:
    if language == "en":
        return text.lower() if rng.random() < 0.3 else text.replace(", ", " ,")
    at = rng.randint(0, len(text))
    return text[:at] + "  " + text[at:]


def _typos(text: str, rng: Random, language: Language) -> str:
    wrong = {right: typo for typo, right in TYPOS.items() if typo.isascii() == (language == "en")}
    for right, typo in wrong.items():
        text = text.replace(right, typo)
    if language == "zh" and rng.random() < 0.5:
        text = rng.choice(list(wrong.values())) + text if rng.random() < 0.2 else text
    return text
