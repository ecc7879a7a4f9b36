"""Facts and numbers that a model has left out are told in sentences of their own, where they belong."""

import re
from itertools import cycle

from contracts.livestream import Product
from contracts.prompts import language_of
from graphs.facts import clauses, lost, missing, spans

MOST = 3  # of the facts one may be left out; a text that lacks more is about something else
_SENTENCE_END = re.compile(r"[。！？!?…]+[”’」』\"]?|\.(?=\s|$)|(?=\n)|$")
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


_JOINS = {"zh": ("", "。"), "en": (" ", ".")}  # between two sentences, and at the end of one


def spliced(product: Product, text: str) -> str:
    """The text with what it lacks of the product. As it is, where its name is missing, where there is too much to tell,
    and where the price is and other amounts stand in its place."""
    facts = product.facts()
    gone = missing(facts, product.price, text)
    if product.name in gone or len(gone) * MOST > len(facts):
        return text
    if product.price in gone and lost(text, "\n".join(facts)):
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
            text = text[:at] + way.format(fact) + text[at:]
            gone = [each for each in gone if each != fact]  # who gave it twice is told it once
        before = fact if fact.strip() else before
    return text


def restored(original: str, text: str) -> str:
    """The text with what has lost its numbers, in the words of the original. As it is, where that is too much, and
    where other amounts stand in their place."""
    whole, gone = clauses(original), lost(original, text)
    told = [clause for clause in whole if set(lost(clause, text)) & set(gone)]
    if len(told) * 2 > len(whole) or lost(text, original):
        return text
    gap, end = _JOINS[language_of(text)]
    for clause in told:
        before = whole[: whole.index(clause)]
        at = _after(before[-1], text) if before else 0
        said = clause[0].upper() + clause[1:] + end
        text = f"{text[:at]}{gap if at else ''}{said}{'' if at else gap}{text[at:]}"
    return text


def _after(fact: str, text: str) -> int:
    """Where the sentence ends that has it first; of a price in other words, the text."""
    found = spans(fact, text)
    return _SENTENCE_END.search(text, found[0][1]).end() if found else len(text)  # type: ignore[union-attr]
