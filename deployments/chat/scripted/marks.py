"""Punctuation and spelling, corrected without touching what the text says."""

import re

from contracts.prompts import Language
from deployments.chat.scripted.polish_words import TYPOS
from deployments.chat.scripted.words import article

_CJK = r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_ZH_ENDS, _EN_ENDS = "。！？…”』」）：；", ".!?…\"')"
_SENTENCE = re.compile(r"[^。！？!?…\n]*(?:[。！？!?…]+[”’」』）\"]*|\n|$)")
_EN_SENTENCE = re.compile(r".+?(?:[.!?…]+[\"')]*(?=\s|$)|\n|$)", re.S)
_CLOSE = r"""(\s[,;!?] | [,;!?]{2} | (?<!\.)\.\. | (?<=\w)(?:[;!?]|,(?=[^\W\d])))(?=\w)"""
_REPEATED = r"\b(the|a|an|to|of|in|is|and|for|with|we|you|it|this|are)\s+\1\b"


def clean(text: str, language: Language) -> str:
    """The text with its marks, spaces, sentence ends and repeated small words put right, line by line."""
    tidy = _zh_line if language == "zh" else _en_line
    return "\n".join(filter(None, (tidy(line.strip()) for line in text.splitlines())))


def correct(text: str, language: Language) -> str:
    """`clean`, and common misspellings and wrong articles corrected."""
    for wrong, right in TYPOS.items():
        edge = r"\b" if wrong.isascii() else ""
        text = re.sub(f"{edge}{wrong}{edge}", right, text)
    if language == "en":
        text = re.sub(r"\b([Aa])n? (?=([a-z]+))", _article, text)
    return clean(text, language)


def sentences(text: str, language: Language) -> list[str]:
    """The sentences of the text; joined (English: with spaces) they give it back."""
    pattern = _SENTENCE if language == "zh" else _EN_SENTENCE
    return [part.strip() for part in pattern.findall(text) if part.strip()]


def _article(match: re.Match[str]) -> str:
    right = article(match[2])
    return (right.capitalize() if match[1] == "A" else right) + " "


def _zh_line(line: str) -> str:
    line = re.sub(r"\s+", " ", line)
    line = re.sub(rf"(?<={_CJK})[ \t\u3000]+(?={_CJK})", "", line)
    line = re.sub(
        rf"(?:(?<={_CJK})|(?<=[”）》]))\s*([,;:?!])(?!\d)\s*|(?<!\d)\s*([,;:?!])\s*(?={_CJK})",
        lambda match: _WIDE[match[1] or match[2]],
        line,
    )
    line = re.sub(r"\.{3,}|。{3,}", "……", line)
    line = re.sub(rf"(?<={_CJK})\.{{1,2}}(?![A-Za-z0-9])", "。", line)
    line = re.sub(r"([，。；：、])\1+", r"\1", line)
    line = re.sub(r"！{2,}", "！", re.sub(r"？{2,}", "？", line))
    line = re.sub(r"[，、]([。！？])", r"\1", line)
    line = re.sub(r"\s*([，。！？；：、])\s*", r"\1", line).lstrip("，。；：、")
    line = re.sub(r"(?<=\d)[.．]$", "。", re.sub(r"[，、；,]+$", "", line))
    return line + "。" if line and line[-1] not in _ZH_ENDS + "!?.~～" and line[-1].isalnum() else line


def _en_line(line: str) -> str:
    line = re.sub(_REPEATED, r"\1", re.sub(r"\s+", " ", line), flags=re.I)
    line = re.sub(_CLOSE, r"\1 ", line, flags=re.X)  # first: without a blank, 8..1 would become the number 8.1
    line = re.sub(r"\s+([,;!?]|[.:](?=\s|$))", r"\1", line)
    line = re.sub(r"([,;!?])\1+", r"\1", re.sub(r"(?<!\.)\.\.(?!\.)", ".", line))
    line = re.sub(r"\bi\b(?=\s|'|$)", "I", line)
    line = re.sub(r"(^|[.!?] )([a-z])", lambda match: match[1] + match[2].upper(), line)
    line = re.sub(r"[,;]+$", "", line)
    return line + "." if line and line[-1].isalnum() and line[-1] not in _EN_ENDS else line
