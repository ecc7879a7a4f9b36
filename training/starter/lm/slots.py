"""Random values for prompts: table words and made-up ones, each belonging to training or to the evaluation only."""

import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

import yaml

from contracts.prompts import Language
from deployments.chat.scripted.words import BY_WORD, EN_HE_NAMES, EN_SHE_NAMES, HEROES, ZH_NAMES

LANGUAGES: tuple[Language, Language] = ("zh", "en")
TABLES: dict[Language, dict[str, list[str]]] = {
    language: yaml.safe_load((Path(__file__).parent / f"words.{language}.yaml").read_text(encoding="utf-8"))
    for language in LANGUAGES
}
COMMON = [  # the 3,755 most used characters of GB 2312
    character
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (character := bytes([high, low]).decode("gb2312", "ignore"))
]
_BLANK = re.compile(r"\{(\w+)\}")
_TABLES = ("kinds", "styles", "features", "audiences", "topics", "scenes", "adjectives", "promotions")
_LETTERS = re.compile(r"[^A-Za-z-]")  # what is none
_CODA = ("", "", "n", "r", "s", "l", "m", "x", "ck")
_FAMILY_NAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"


def apart(word: str) -> bool:
    """Whether a made-up word is kept for the evaluation: one in six is, and training never draws it."""
    return zlib.crc32(word.encode()) % 6 == 0


@cache
def words(language: Language, table: str, held_out: bool) -> Sequence[str]:
    """A table's words for training, or the sixth of them that is kept for the evaluation."""
    mixed = sorted(TABLES[language][table], key=lambda word: zlib.crc32(word.encode()))
    kept = -(-len(mixed) // 6)
    return mixed[:kept] if held_out else mixed[kept:]


class Slots:
    """Draws values in one language. `held_out`: only those that training never sees, made-up ones included."""

    def __init__(self, rng: Random, language: Language, held_out: bool = False) -> None:
        self.rng, self.language, self.held_out = rng, language, held_out
        self.table = TABLES[language]

    def of(self, table: str) -> str:
        """A word of a table."""
        return self.rng.choice(words(self.language, table, self.held_out))

    def filled(self, table: str) -> str:
        """A line of a table with its blanks filled, each by a value of its own."""
        return self.fill(self.of(table))

    def fill(self, line: str) -> str:
        return _BLANK.sub(lambda blank: str(getattr(self, blank[1])()), line)

    def coin(self, chance: float = 0.5) -> bool:
        return self.rng.random() < chance

    def invented(self) -> str:
        """A word that nobody has seen, so that it can only be copied."""
        return self._apart(self._zh_invented if self.language == "zh" else self._en_invented)

    def kind(self) -> str:
        return self.of("kinds")

    def name(self) -> str:
        """A product: a brand, a style, what it is; half of them have a made-up word in them."""
        gap = "" if self.language == "zh" else " "
        usual = gap.join([self.of("styles")] * self.coin(0.7) + [self.kind()])
        if self.coin():
            return usual
        made_up = self.rng.choice([self.invented(), gap.join([self.invented(), usual])])
        model = self.rng.choice([" X9", " Pro", "Air2", " mini", f" {self.n()}"]) if self.coin(0.1) else ""
        return made_up + model

    def feature(self) -> str:
        draw = self.rng.random()
        return self.of("features") if draw < 0.5 else self.filled("numbered") if draw < 0.65 else self.invented()

    def audience(self) -> str:
        return self.of("audiences") if self.coin(0.6) else self.invented()

    def promotion(self) -> str:
        draw = self.rng.random()
        return self.of("promotions") if draw < 0.35 else self.filled("offers") if draw < 0.75 else self.invented()

    def price(self) -> str:
        return self.filled("prices")

    def topic(self) -> str:
        return self.of("topics") if self.coin(0.3) else self.filled("about")

    def scene(self) -> str:
        return self.of("scenes") if self.coin() else self.filled("places")

    def hero(self) -> str:
        """A kind of hero, with a name or an adjective, or only a name; most names are made up."""
        kind, name = BY_WORD[self.rng.choice(HEROES)], self.person()
        if self.language == "en":
            like = f"{self.of('adjectives')} {kind.en}"
            return self.rng.choice([kind.en, name, *[f"{name} the {kind.en}"] * 2, f"a {like}", like, self.invented()])
        like = self.of("adjectives")
        return self.rng.choice([kind.zh, name, *[kind.zh + name] * 2, like + kind.zh, *[self.invented()] * 2])

    def person(self) -> str:
        if self.coin(0.7):
            return self.invented()[:3] if self.language == "zh" else self._apart(self._syllables).split()[0]
        usual = [*ZH_NAMES, *("小" + name for name in _FAMILY_NAMES)]
        return self.rng.choice(usual if self.language == "zh" else EN_HE_NAMES + EN_SHE_NAMES)

    def verb(self) -> str:
        return self.of("verbs")

    def n(self) -> str:
        """A number of one to four digits."""
        return str(self.rng.randint(2, 10 ** self.rng.randint(1, 4) - 1))

    def m(self) -> str:
        return self.n()

    def d(self) -> str:
        return str(self.rng.randint(1, 9))

    def e(self) -> str:
        return self.d()

    def ordinary(self) -> str:
        """A word of any English table, without what belongs to it there."""
        while True:
            found = _LETTERS.sub(
                "", self.rng.choice(self.rng.choice(words("en", self.rng.choice(_TABLES), self.held_out)).split(" "))
            )
            if len(found) > 2:
                return found

    def _apart(self, make: Callable[[], str]) -> str:
        """Of training's, or of the evaluation's."""
        while True:
            if apart(word := make()) == self.held_out:
                return word

    def _zh_invented(self) -> str:
        draw, size = self.rng.random(), self.rng.randint(2, 6)
        if draw < 0.03:  # rare characters, which the tokenizer spells as bytes
            return "".join(chr(self.rng.randint(0x4E00, 0x9FA5)) for _ in range(self.rng.randint(2, 3)))
        if draw < 0.08:
            return self._en_invented()
        usual = [self.of(self.rng.choice(("kinds", "features", "scenes", "audiences", "topics"))) for _ in range(3)]
        if draw < 0.25:  # characters of ordinary words in an order of no meaning
            return "".join(self.rng.sample("".join(usual), min(size, 4)))
        if draw < 0.45:  # parts of ordinary words
            return "".join(word[self.rng.randrange(len(word) - 1) :][:3] for word in usual[:2])
        return "".join(self.rng.choice(COMMON) for _ in range(size))

    def _en_invented(self) -> str:
        """Syllables; or ordinary words that do not belong together, or are joined in their middle, so that what follows
        a word is told by the prompt and not by the habits of a few phrases."""
        if self.coin(0.5):
            usual = [self.ordinary() for _ in range(self.rng.randint(1, 4))]
            first, last = self.ordinary(), self.ordinary()
            joined = first[: self.rng.randint(1, len(first))] + last[self.rng.randrange(len(last)) :]
            return " ".join([*usual, joined] if self.coin(0.4) else usual)
        return self._syllables()

    def _syllables(self) -> str:
        def syllable() -> str:
            return self.rng.choice("bcdfghjklmnpqrstvwxyz") + self.rng.choice("aeiouy") + self.rng.choice(_CODA)

        made = ["".join(syllable() for _ in range(self.rng.randint(2, 3))) for _ in range(self.rng.choice((1, 1, 2)))]
        return " ".join(word.capitalize() for word in made)
