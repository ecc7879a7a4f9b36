"""Which languages are written in a script: text that a voice cannot read is refused, and not spelt or passed over."""

import unicodedata
from collections import Counter
from collections.abc import Collection

from contracts.errors import InvalidInput

# By the first word of a letter's Unicode name. Every engine reads Latin letters and ideographs.
SCRIPTS = {
    "ARABIC": "ar fa ur sd ug ku ps",
    "ARMENIAN": "hy hyw",
    "BENGALI": "bn as bpy mni",
    "CHEROKEE": "chr",
    "CYRILLIC": "ru uk bg be mk sr kk ky tt ba cv mn tg uz tk az",
    "DEVANAGARI": "hi mr ne kok sa",
    "ETHIOPIC": "am ti",
    "GEORGIAN": "ka",
    "GREEK": "el grc",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he yi",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "KATAKANA-HIRAGANA": "ja",
    "KHMER": "km",
    "LAO": "lo",
    "MALAYALAM": "ml",
    "MYANMAR": "my shn",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "TIBETAN": "bo",
}
READ_BY_ALL = frozenset({"LATIN", "CJK", "FULLWIDTH", "HALFWIDTH", "MODIFIER", "IDEOGRAPHIC", "MICRO", "OHM", "KELVIN"})


def written_in(text: str) -> str:
    """The language of the script that most letters are of; empty: it is one that many are written in."""
    letters = _letters(text)
    script, count = max(letters.items(), key=lambda each: each[1], default=("", 0))
    return SCRIPTS[script].partition(" ")[0] if script in SCRIPTS and 2 * count > letters.total() else ""


def check_script(text: str, languages: Collection[str]) -> None:
    """`InvalidInput` when most of the letters are of scripts that none of the languages (ISO 639) is written in."""
    letters = _letters(text)
    foreign = {script: count for script, count in letters.items() if not _read(script, languages)}
    if 2 * sum(foreign.values()) > letters.total():
        script = max(foreign, key=lambda each: foreign[each])
        raise InvalidInput(f"这个音色读不出文本里的 {script.title()} 文字。", param="text")


def _letters(text: str) -> Counter[str]:
    """How many there are of each script."""
    return Counter(_script(character) for character in text if character.isalpha())


def _read(script: str, languages: Collection[str]) -> bool:
    return script in READ_BY_ALL or not languages or bool(set(SCRIPTS.get(script, "").split()) & set(languages))


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
