"""What a text must not lose: the words that it was given, and its numbers."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from graphs.folding import fold

_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+(?!\d)|\d+)([.．]\d+)?(?: ?([%％]))?")
_YUAN = re.compile(rf"\s*[¥￥]?\s*(?:{_NUMBER.pattern})\s*(?:元|块|块钱|人民币|rmb|cny)?\s*", re.I)
_SPELT = re.compile(  # amounts in ideographs, and shares
    r"[零〇一二两三四五六七八九十百千万亿半]{1,20}(?:元|块钱|毛钱|折(?!叠|起|就|了))|百分之[零〇一二两三四五六七八九十百千万点半]{1,20}"
)
_CLAUSE_ENDS = re.compile(r"[，。！？；：、\n…]|[,.!?;:](?!\d)")
_ARTICLES = re.compile(r"(?i)^(?:一[只个位名条头匹]|an? |the |my )")
_LEAST = 24  # characters of a circle: a dog may bark five times
_LOOP = re.compile(r"(.{2,60}?)\1{4,}", re.DOTALL)  # a beginning, and the same four times more
_TWINS = re.compile(  # 小满和小满, 小满和小鹿小满, Felix the fox and Felix
    r"([\u4e00-\u9fff]{2,3})和(?:小[\u4e00-\u9fff]{1,2})?\1(?!猫)|\b([A-Z][a-z]+)(?: the \w+)? and \2\b"
)
_ENDS = "。.!?;,、"  # as they are folded


class Number(NamedTuple):
    value: Decimal
    percent: bool


def numbers(text: str) -> dict[Number, str]:
    """Every number in digits, by its value, as it is first written."""
    found: dict[Number, str] = {}
    for match in _NUMBER.finditer("\n".join(" ".join(line.split()) for line in text.splitlines())):
        value = Decimal(match[1].replace(",", "") + (match[2] or "").replace("．", "."))
        found.setdefault(Number(value, bool(match[3])), match[0])
    return found


def clauses(text: str) -> list[str]:
    """What stands between its marks."""
    return [clause for each in _CLAUSE_ENDS.split(text) if (clause := each.strip())]


def bare(words: str) -> str:
    """Without the article or measure word that a sentence may change."""
    return _ARTICLES.sub("", words) or words


def loops(text: str) -> bool:
    """Whether it goes round in a circle, as small models do that have lost their way."""
    circles = (match for match in _LOOP.finditer(text) if len(match[0]) >= _LEAST)
    return any(any(map(str.isalnum, match[1])) for match in circles)


def twins(text: str) -> bool:
    """Whether somebody is beside another of the same name, as small models have it who know but one."""
    return bool(_TWINS.search(text))


def spans(fact: str, text: str) -> list[tuple[int, int]]:
    """Where the text has these words. Width, case and whitespace do not matter; digits are whole numbers.

    Marks at the end of the words may be others in the text.
    """
    words, said = fold(fact, blanks=False).text, fold(text, blanks=False)
    wanted = words.rstrip(_ENDS) or words
    found, at = [], said.text.find(wanted) if wanted else -1
    while at >= 0:
        found.append(said.span(at, at + len(wanted)))
        at = said.text.find(wanted, at + len(wanted))
    return [span for span in found if not _cuts_a_number(text, *span)]


def missing(facts: Iterable[str], price: str, text: str) -> list[str]:
    """Those that the text does not have. A price in yuan is found by its value: 288 is ¥288.00 and 288 元."""
    return [fact for fact in facts if not (_has_price(fact, text) if fact == price else _has(fact, text))]


def lost(before: str, after: str) -> list[str]:
    """The numbers, prices and percentages of a text that its new version does not have."""
    kept = numbers(after)
    gone = [written for number, written in numbers(before).items() if number not in kept]
    return gone + [amount for amount in dict.fromkeys(_SPELT.findall(before)) if amount not in after]


def _has(fact: str, text: str) -> bool:
    return not fold(fact, blanks=False).text or bool(spans(fact, text))


def _has_price(price: str, text: str) -> bool:
    if _has(price, text):
        return True
    return _YUAN.fullmatch(price) is not None and numbers(price).keys() <= numbers(text).keys()


def _cuts_a_number(text: str, start: int, end: int) -> bool:
    """Whether the part begins or ends within a number that is longer."""
    before, after = text[max(0, start - 2) : start], text[end : end + 5]
    thousands = re.match(r"\d{3}(?!\d)", text[start : start + 4])
    begins = text[start].isdigit() and re.search(r"\d[.．,]?$" if thousands else r"\d[.．]?$", before)
    ends = text[end - 1].isdigit() and re.match(r"\d|[.．]\d|,\d{3}(?!\d)", after)
    return bool(begins or ends)
