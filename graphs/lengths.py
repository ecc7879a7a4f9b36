"""A text of so many characters, within a fifth; `contracts.prompts.length_of` says which count."""

import re

from contracts.prompts import language_of, length_of

_CLAUSE_ENDS = re.compile(r"(?:[。！？!?…；;，、：\n]|[.,:](?!\d))+[”’」』）)\"]*")
SENTENCE_END = re.compile(
    r"[。！？…]+[”’」』）\"]?|[!?]+[\"')]?(?=\s|$)|(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bNo)\.[\"')]?(?=\s|$)|(?=\n)"
)
_OPEN = "，、；：,;: \n"  # a text does not end with these


def wrong_length(text: str, wanted: int) -> str:
    """How the text misses its length, in words; empty when it does not."""
    length = length_of(text)
    low, high = -(-wanted * 8 // 10), wanted * 12 // 10
    return "" if low <= length <= high else f"现有 {length} 个字，应为 {low} 到 {high} 个字"


def cut(text: str, wanted: int) -> str:
    """The text up to the last sentence or clause that fits; empty when none does."""
    for match in reversed(list(_CLAUSE_ENDS.finditer(text))):
        kept = text[: match.end()]
        if length_of(kept) <= wanted * 12 // 10:
            return _ended(kept)
    return ""


def finished(text: str) -> str:
    """The text up to the end of its last whole sentence; empty when there is none."""
    return text[: max((match.end() for match in SENTENCE_END.finditer(text)), default=0)].strip()


def _ended(text: str) -> str:
    """With a full stop where a clause ended."""
    kept = text.rstrip(_OPEN)
    return kept if kept == text.rstrip() else kept + ("。" if language_of(text) == "zh" else ".")
