"""Captions in Chinese and English that name one or two things, and perhaps a colour, a place, an hour, the weather.

A tenth of all pairs of things is held out: training never names the two together, the evaluation does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, count
from pathlib import Path
from random import Random
from typing import Any, cast

import yaml

from contracts.prompts import Language

WORDS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))
FIGURES, THINGS, USUAL = (tuple(WORDS[name]) for name in ("figures", "things", "usual"))
JUDGED = FIGURES + THINGS
NAMES = JUDGED + USUAL + tuple(name for table in ("colours", "grounds", "hours", "weather") for name in WORDS[table])
COUNTED = {name: row for table in ("figures", "things", "usual") for name, row in WORDS[table].items()}
PLACED = {name: row for table in ("colours", "grounds", "hours", "weather") for name, row in WORDS[table].items()}
CHINESE = 0.6  # share of captions
ENGLISH_LINKS = ("{} and {}", "{} with {}", "{} next to {}", "{} beside {}", "{}, {}")
CHINESE_LINKS = ("{}和{}", "{}与{}", "{}在{}旁边", "{}，{}", "{}还有{}")
CHINESE_ENDS = ("", "", "", "。", "，绘本风格", "，可爱的卡通风格")
ENGLISH_ENDS = ("", "", "", ".", ", cartoon illustration", ", cute cartoon style")


@dataclass(frozen=True)
class Caption:
    """`names`: everything that the text names, by the painter's words; `seed` makes the picture one of many."""

    text: str
    names: tuple[str, ...]
    seed: int


def held_out(one: str, other: str) -> bool:
    """Whether training must not name the two together."""
    return sha256("|".join(sorted((one, other))).encode()).digest()[0] < 26


PAIRS = tuple(pair for pair in combinations(JUDGED, 2) if held_out(*pair))


def captions(seed: int, start: int = 0) -> Iterator[Caption]:
    """Those of training, without end."""
    return (_caption(Random(f"caption {seed} {number}"), None, number) for number in count(start))  # noqa: S311


def unseen(seed: int) -> Iterator[Caption]:
    """Captions that name two things which are held out, without end."""
    for number in count():
        rng = Random(f"unseen {seed} {number}")  # noqa: S311
        yield _caption(rng, rng.choice(PAIRS), rng.randrange(1 << 30))


def _caption(rng: Random, pair: tuple[str, str] | None, seed: int) -> Caption:
    language: Language = "zh" if rng.random() < CHINESE else "en"
    things = list(pair or _things(rng))
    rng.shuffle(things)
    coloured = [(name, rng.choice(list(WORDS["colours"])) if _takes_colour(rng, name) else "") for name in things]
    more = tuple(
        rng.choice(list(WORDS[table]))
        for table, share in (("hours", 0.3), ("grounds", 0.45), ("weather", 0.06))
        if rng.random() < share or (table == "grounds" and not things)
    )
    colours = tuple(colour for _, colour in coloured if colour)
    return Caption(_said(rng, language, coloured, more), (*things, *colours, *more), seed)


def _takes_colour(rng: Random, name: str) -> bool:
    return name in THINGS and name not in ("rainbow", "campfire", "snowman") and rng.random() < 0.25


def _things(rng: Random) -> tuple[str, ...]:
    kind = rng.random()
    if kind < 0.05:
        return ()
    if kind < 0.3:
        return (rng.choice(JUDGED if rng.random() < 0.85 else USUAL),)
    while True:
        one = rng.choice(FIGURES if rng.random() < 0.75 else THINGS)
        other = rng.choice(THINGS if rng.random() < 0.7 else FIGURES) if rng.random() < 0.92 else rng.choice(USUAL)
        if one != other and not held_out(one, other):
            return one, other


def _said(rng: Random, language: Language, things: list[tuple[str, str]], more: tuple[str, ...]) -> str:
    chinese = language == "zh"
    named = [_noun(rng, language, name, colour) for name, colour in things]
    links = CHINESE_LINKS if chinese else ENGLISH_LINKS
    text = rng.choice(links).format(*named) if len(named) == 2 else "".join(named)
    where = [rng.choice(PLACED[name][0 if chinese else 1]) for name in more]
    end = rng.choice(CHINESE_ENDS if chinese else ENGLISH_ENDS)
    if chinese:
        between = rng.choice(("", "，", "有")) if text and where else ""
        return "，".join(where) + between + text + end
    parts = [text, *reversed(where)] if rng.random() < 0.8 else [", ".join([*where, text] if text else where)]
    return " ".join(part for part in parts if part) + end


def _noun(rng: Random, language: Language, name: str, colour: str) -> str:
    measure, chinese, english = cast("tuple[str, list[str], list[str]]", COUNTED[name])
    if language == "zh":
        counted = f"一{measure}" if rng.random() < 0.5 else ""
        return counted + (f"{rng.choice(PLACED[colour][0])}的" if colour else "") + rng.choice(chinese)
    noun = " ".join(filter(None, (colour, rng.choice(english))))
    article = "the" if rng.random() < 0.15 else "an" if noun[0] in "aeiou" else "a"
    return f"{article} {noun}" if rng.random() < 0.85 else noun
