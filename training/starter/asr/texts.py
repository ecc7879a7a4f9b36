"""What is said: sentences of the starter corpus, and words and characters in an order of no meaning.

The latter cannot be guessed, so they teach to listen. Numbers and units are written as they are read out, by the
platform's own reading (WeTextProcessing): the recogniser writes words for them too.
"""

import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pydoc_data.topics import topics
from random import Random

from pypinyin.phrases_dict import phrases_dict
from wetext import Normalizer

from contracts.prompts import Language
from contracts.settings import ROOT
from deployments.chat.scripted.engine import answer
from deployments.speech.reading import read_out
from training.starter.lm import asks, chats
from training.starter.lm.asks import Ask
from training.starter.lm.slots import COMMON, TABLES, Slots, words

CHARACTERS = 2100  # Chinese ones that are a token each
SOURCES = ("deployments/chat/scripted", "training/starter/lm")
MIXTURE: list[tuple[Callable[[Slots], Ask], int]] = [
    (asks.product, 30),
    (asks.story, 30),
    (chats.chat, 20),
    (chats.free, 7),
    (chats.outside, 7),
    (asks.followed, 6),
]
_ENDS = re.compile(r"(?<=[。！？!?])|(?<=[.])\s+(?=[A-Z])|\n")
_COMMAS = re.compile(r"[，、]|, ")
_SAID = {"zh": re.compile(r"[一-鿿A-Za-z ，、。！？]{1,48}"), "en": re.compile(r"[A-Za-z ,.!?'-]{1,110}")}
_MARKS = {  # the engine never writes what its library takes for a sign that nobody says
    "zh": str.maketrans(
        {**dict.fromkeys("“”‘’《》「」『』\"'"), ",": "，", "!": "！", "?": "？"} | dict.fromkeys("：；", "，")
    ),
    "en": str.maketrans({**dict.fromkeys('“”"'), "’": "'", ":": ",", ";": ","}),
}


class Known(Slots):
    """Slots that fill an ordinary word in where others make one up: nobody can spell that by its sound."""

    def invented(self) -> str:
        return self.of(self.rng.choice(("kinds", "styles", "features", "scenes", "audiences")))


def held_out(text: str) -> bool:
    """Whether a text is kept for the evaluation: one in twenty is, and training never says it."""
    return zlib.crc32("".join(filter(str.isalnum, text.lower())).encode()) % 20 == 0


def sentences(rng: Random, language: Language, new_words: bool = False) -> Iterator[str]:
    """Sentences of the corpus without end. `new_words`: made of tables' words that training never draws."""
    while True:
        slots = Known(rng, language, new_words)
        ask = rng.choices([make for make, _ in MIXTURE], [weight for _, weight in MIXTURE])[0](slots)
        found = [clean(part, language) for text in _spoken(ask, rng) for part in _ENDS.split(text)]
        found = [text for text in found if _SAID[language].fullmatch(text) and sum(map(str.isalnum, text)) > 1]
        yield from rng.sample(found, min(4, len(found)))


def clauses(text: str) -> list[str]:
    """The parts of a sentence between its commas."""
    return [part.strip() for part in _COMMAS.split(text) if sum(map(str.isalnum, part)) > 1] or [text]


def clean(text: str, language: Language) -> str:
    """Numbers in words, no quotation marks, and those marks of its language that the engine's library writes."""
    plain = re.sub(r"\s+", " ", read(text, language).translate(_MARKS[language])).strip(" ，、,")
    return re.sub(r" (?=[^ -~])|(?<=[^ -~]) ", "", plain)  # a blank beside a Chinese sign is not heard


def read(text: str, language: Language) -> str:
    """With words for numbers, prices and units; what no grammar reads stays as it is."""
    if language == "zh":
        return read_out(text)
    if not any(map(str.isdigit, text)):
        return text
    try:
        return str(_english().normalize(text))
    except AssertionError:  # wetext's word for a digit beside a sign that English does not have
        return text


@cache
def _english() -> Normalizer:
    return Normalizer(lang="en", operator="tn")


def meaningless(rng: Random, language: Language) -> str:
    """Words, or now and then characters, that do not belong together."""
    if language == "zh" and rng.random() < 0.25:
        return "".join(rng.choice(characters()) for _ in range(rng.randint(2, 7)))
    gap, most = ("", 3) if language == "zh" else (" ", 5)
    drawn = [rng.choice(lexicon(language)) for _ in range(rng.randint(1, most))]
    if language == "en" and rng.random() < 0.3:
        drawn[rng.randrange(len(drawn))] = Slots(rng, "en").invented().lower()
    return gap.join(drawn)


@cache
def characters() -> list[str]:
    """The characters of the corpus, then those that are in most words."""
    files = [
        path
        for source in SOURCES
        for path in sorted((ROOT / source).rglob("*"))
        if path.suffix in (".py", ".yaml", ".txt")
    ]
    own = {character for path in files for character in path.read_text(encoding="utf-8") if "一" <= character <= "鿿"}
    used = Counter(character for phrase in phrases_dict for character in phrase)
    more = sorted(set(COMMON) - own, key=lambda character: (-used[character], character))
    return sorted(own) + more[: max(0, CHARACTERS - len(own))]


@cache
def lexicon(language: Language) -> list[str]:
    """Words: pypinyin's of two to four characters; those of Python's documentation and of the corpus's tables."""
    if language == "zh":
        known = set(characters())
        return [phrase for phrase in phrases_dict if 2 <= len(phrase) <= 4 and known.issuperset(phrase)]
    tables = [word for table in sorted(TABLES["en"]) for line in words("en", table, False) for word in line.split()]
    counted = Counter(re.findall(r"(?<![\w.`'*])[a-z]{2,12}(?= )", " ".join([*topics.values(), *tables * 3])))
    return sorted(word for word, count in counted.items() if count > 2)


def _spoken(ask: Ask, rng: Random) -> list[str]:
    said = ask.said or answer(ask.messages, rng.getrandbits(32))
    if ask.task == "story":
        told = json.loads(said)
        return [told["title"], told["hero"], *(page["text"] for page in told["pages"])]
    return [said] if ask.task == "product" else [said, ask.messages[-1].content]
