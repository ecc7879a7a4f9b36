"""A text as eSpeak is to read it: phrases, runs of one language, and words for signs."""

import re
import unicodedata
from collections.abc import Iterator

IDEOGRAPHIC = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]")
IDEOGRAPHIC_RUN = re.compile(
    r"([㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff][㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff\d，、：；。！？“”‘’（）《》\s]*)"
)
READS_IDEOGRAPHS = frozenset({"cmn", "cmn-latn-pinyin", "yue", "hak", "ja"})

# A phrase ends at a sentence's end, and at the latest after 240 characters, there at a comma or a space if it has one.
PHRASE = re.compile(
    r".{0,239}?(?:[。！？!?\n]+[”’」』）)\"']*\s*|[a-z\d]{3}\.[”’)\"']*\s+(?=[A-Z])|$)"
    r"|.{40,239}[，、；：,;:\s]|.{1,240}",
    re.DOTALL,
)

SIGNS = {
    "cmn": {"<": "小于", ">": "大于", "=": "等于", "&": "和", "+": "加", "℃": "摄氏度"},
    "en": {"<": " less than ", ">": " greater than "},
}
PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]")
CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?![\d:：])")


def phrases(text: str) -> Iterator[str]:
    """The text in pieces of at most 243 spoken characters, without emoji and control characters."""
    clean = "".join(map(_spoken, text))
    for found in PHRASE.finditer(clean):
        if phrase := found.group().strip():
            yield phrase


def language_of(text: str) -> str:
    """The language that a text is read in when nothing else is said."""
    return "cmn" if IDEOGRAPHIC.search(text) else "en-us"


def _spoken(character: str) -> str:
    """The character; a space for one that is not to be said, or that eSpeak takes for a command."""
    category = unicodedata.category(character)
    emoji = character >= "\u2600" and (category in ("So", "Sk", "Cn", "Co") or "\ufe00" <= character <= "\ufe0f")
    return " " if emoji or (category in ("Cc", "Cf", "Cs") and character != "\n") else character


def runs(phrase: str, voice: str) -> Iterator[tuple[str, str]]:
    """The phrase with the voice it is said in: a voice that reads no ideographs gives those to Mandarin."""
    language, plus, variant = voice.partition("+")
    if language in READS_IDEOGRAPHS:
        yield phrase, voice
        return
    for run in IDEOGRAPHIC_RUN.split(phrase):
        if run.strip():
            yield run, "cmn" + plus + variant if IDEOGRAPHIC.search(run) else voice


def symbols(text: str, language: str) -> str:
    """Signs that eSpeak passes over, as words. No markup is left for anything to interpret."""
    if language == "cmn":
        text = PERCENT.sub(r"百分之\1", text)
        text = CLOCK.sub(r"\1点\2分", text).replace("点00分", "点")
    signs = SIGNS.get(language) or (SIGNS["en"] if language.startswith("en") else {})
    return "".join(signs.get(character, character) for character in text)
