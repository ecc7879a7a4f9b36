"""A text as it is to be read: phrases, runs of one language, and words for signs."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from deployments.speech.reading import read_out
from deployments.speech.scripts import written_in

IDEOGRAPHIC = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]")
IDEOGRAPHIC_RUN = re.compile(
    r"([㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff][㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff\d，、：；。！？“”‘’（）《》\s]*)"
)
READS_IDEOGRAPHS = frozenset({"cmn", "cmn-latn-pinyin", "yue", "hak", "ja"})

LONGEST = 240  # characters of a phrase
END = r"(?:[。！？!?\n]+[”’」』）)\"']*\s*|[a-z\d]{3}\.[”’)\"']*\s+(?=[A-Z])|$)"

SIGNS = {
    "cmn": {"<": "小于", ">": "大于", "=": "等于", "&": "和", "+": "加", "℃": "摄氏度"},
    "en": {"<": " less than ", ">": " greater than "},
}


def phrases(text: str, longest: int = LONGEST) -> Iterator[str]:
    """The text in pieces of about `longest` spoken characters at most, without emoji and control characters."""
    clean = "".join(map(_spoken, text))
    for found in _pattern(longest).finditer(clean):
        if phrase := found.group().strip():
            yield phrase


def worded(text: str, language: str, most_bytes: int) -> Iterator[str]:
    """The same for engines that read no numbers: in words where it is Chinese, without what cannot be said at all."""
    chinese = language in ("zh", "yue") or bool(IDEOGRAPHIC.search(text))
    for phrase in phrases(text):
        words = read_out(phrase) if chinese else phrase
        longest = most_bytes // 3 if IDEOGRAPHIC.search(words) else most_bytes
        yield from (piece for piece in phrases(words, longest) if any(map(str.isalnum, piece)))


@cache
def _pattern(longest: int) -> re.Pattern[str]:
    """A phrase ends at a sentence's end; one that grows too long at a comma or a space, if it has one."""
    most = longest - 1
    return re.compile(rf".{{0,{most}}}?{END}|.{{{longest // 6},{most}}}[，、；：,;:\s]|.{{1,{longest}}}", re.DOTALL)


def language_of(text: str) -> str:
    """eSpeak's tag of the language that a text is read in when nothing else is said."""
    return written_in(text) or ("cmn" if IDEOGRAPHIC.search(text) else "en-us")


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
    """Numbers that eSpeak reads wrongly, and signs that it passes over, as words. No markup is left to interpret."""
    if language == "cmn":
        text = read_out(text)
    signs = SIGNS.get(language) or (SIGNS["en"] if language.startswith("en") else {})
    return "".join(signs.get(character, character) for character in text)
