"""Facts and numbers that a model has left out are told in sentences of their own, where they belong."""

import re
from collections.abc import Iterable
from itertools import cycle

from contracts.livestream import Product
from contracts.prompts import language_of
from graphs.facts import lost, missing, spans
from graphs.lengths import SENTENCE_END

MOST = 3  # of the facts one may be left out; a text that lacks more is about something else
_PARTS = re.compile(r"[，。！？；\n…]|[,!?;](?!\d)|(?<!\bNo)(?<!\bno)\.(?=\s|$)")  # of which one tells a number
_PAIRS = tuple(zip("“‘「『（(【《", "”’」』）)】》", strict=True))
_AMOUNT = re.compile(
    r"[¥￥$€£]\s?\d[\d,.]*|\d[\d,.]*\s?(?:元|块|dollars?|yuan|euros?)"
    r"|[零〇一二两三四五六七八九十百千万]+(?:元|块)|(?i:price|only|just)\s+[a-z-]+\s+(?:dollars?|yuan|euros?)"
)
_ENDS = "。.!?;,、，！？；"
_JOINS = {"zh": ("", "。"), "en": (" ", ".")}  # between two sentences, and at the end of one
_WAYS = {
    "zh": {
        "audience": ["特别适合{}。"],
        "features": ["别忘了，还有{}。", "再补充一点：{}。"],
        "price": ["价格是{}。"],
        "promotion": ["现在下单，还有{}。"],
    },
    "en": {
        "audience": [" It is made for {}."],
        "features": [" And do not forget: {}.", " One more thing: {}."],
        "price": [" The price: {}."],
        "promotion": [" And while we are live: {}."],
    },
}


def spliced(product: Product, text: str) -> str:
    """The text with what it lacks of the product. As it is, where its name is missing, where there is too much to tell,
    and where the price is and other amounts stand in its place."""
    facts = product.facts()
    gone = missing(facts, product.price, text)
    if product.name in gone or len(gone) * MOST > len(facts):
        return text
    if product.price in gone and (lost(text, "\n".join(facts)) or _amounts(text, facts)):
        return text
    ways = _WAYS[language_of(text)]
    told = [
        *((product.audience, way) for way in ways["audience"]),
        *zip(product.features, cycle(ways["features"])),
        *((product.price, way) for way in ways["price"]),
        *((product.promotion, way) for way in ways["promotion"]),
    ]
    before = product.name
    for fact, way in told:
        if fact in gone:
            at = _after(before, text)
            text = text[:at] + way.format(fact.rstrip(_ENDS) or fact) + text[at:]
            gone = [each for each in gone if each != fact]  # who gave it twice is told it once
        before = fact if fact.strip() else before
    return text


def restored(original: str, text: str) -> str:
    """The text with what has lost its numbers, in the words of the original. As it is, where that is too much, and
    where other amounts stand in their place."""
    whole = [part for each in _PARTS.split(original) if (part := each.strip())]
    gone = set(lost(original, text))
    told = list(dict.fromkeys(part for part in whole if gone.intersection(lost(part, ""))))
    if len(told) * 2 > len(whole) or lost(text, original) or _amounts(text, _AMOUNT.findall(original)):
        return text
    gap, end = _JOINS[language_of(original)]
    for clause in told:
        before = whole[: whole.index(clause)]
        at = _after(before[-1], text) if before else 0
        said = (clause[0].upper() + clause[1:] if clause.split()[0].islower() else clause) + end
        text = f"{text[:at]}{gap if at else ''}{said}{'' if at else gap}{text[at:]}"
    return text


def invented(original: str, text: str) -> list[str]:
    """Amounts of money in a text whose numbers the original does not have."""
    return [amount for amount in dict.fromkeys(_AMOUNT.findall(text)) if lost(amount, original)]


def _after(fact: str, text: str) -> int:
    """Where the sentence ends that has it first, and what it stands within; of a price in other words, the text."""
    found = spans(fact, text)
    ends = [match.end() for match in SENTENCE_END.finditer(text, found[0][1])] if found else []
    return next((at for at in ends if _closed(text[:at])), len(text))


def _closed(text: str) -> bool:
    """Whether no quotation or bracket is open at its end."""
    return all(text.count(opens) <= text.count(closes) for opens, closes in _PAIRS)


def _amounts(text: str, known: Iterable[str]) -> list[str]:
    """Of money, as the text has them, without those that are known."""
    for fact in sorted(known, key=len, reverse=True):
        for start, end in reversed(spans(fact, text)):
            text = text[:start] + text[end:]
    return _AMOUNT.findall(text)
