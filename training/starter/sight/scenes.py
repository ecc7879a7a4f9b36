"""Scenes that the painter draws, with what is on them and where: the same ones for the same seed and number."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from contracts.image import Thing
from deployments.image.painter.boxes import boxes
from deployments.image.painter.layout import compose
from deployments.image.painter.painter import markup
from deployments.image.painter.raster import pixels
from deployments.image.painter.reading import read
from deployments.image.painter.words import ANIMALS, COLOURS, GROUNDS, HOURS, PEOPLE, THINGS, WEAR, WEATHER

SIDE = 192  # pixels of a kept scene, which is a square whatever was drawn
SHAPES = ((256, 256), (256, 256), (320, 240), (352, 198), (240, 320))  # width, height of what is drawn
ALONE = 0.5  # of the scenes: only one thing is asked for
NOBODY = 0.02  # nothing is
FIGURES = (*ANIMALS, *PEOPLE)


@dataclass(frozen=True)
class Scene:
    """`picture`: (SIDE, SIDE, 3); `subject`: what was asked for first, empty: nothing; boxes in its pixels."""

    picture: NDArray[np.uint8]
    subject: str
    things: tuple[Thing, ...]


def scene(seed: str, number: int) -> Scene:
    """One of without end."""
    rng = Random(f"{seed} {number}")  # noqa: S311
    subject, prompt = asked(rng)
    width, height = rng.choice(SHAPES)
    items = compose(read(prompt, rng.randrange(1 << 30)), width, height)
    drawn = Image.fromarray(pixels(markup(items), width, height)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    scale = SIDE / width, SIDE / height
    things = tuple(_scaled(thing, scale) for thing in boxes(items, width, height))
    return Scene(np.asarray(drawn, np.uint8), subject, things)


def asked(rng: Random) -> tuple[str, str]:
    """A subject, and a prompt that names it; often others besides, a place, an hour, a weather."""
    if rng.random() < NOBODY:
        return "", _around(rng) or "grass"
    subject = rng.choice(FIGURES if rng.random() < 0.5 else tuple(THINGS))
    others = [] if rng.random() < ALONE else rng.sample((*FIGURES, *THINGS), rng.randint(1, 4))
    named = [_described(subject, rng), *(_described(other, rng) for other in others)]
    return subject, ", ".join([*named, *filter(None, [_around(rng)])])


def _described(name: str, rng: Random) -> str:
    """With a colour or clothes, sometimes two of them."""
    colour = f"{rng.choice(tuple(COLOURS))} " if rng.random() < 0.25 else ""
    many = "two " if rng.random() < 0.1 else ""
    worn = f" with a {rng.choice(tuple(COLOURS))} {rng.choice(tuple(WEAR))}" if rng.random() < 0.2 else ""
    return f"{many}{colour}{_phrase({**ANIMALS, **PEOPLE, **THINGS}, name)}{worn if name in FIGURES else ''}"


def _around(rng: Random) -> str:
    chosen = [
        _phrase(table, rng.choice(tuple(table)))
        for table, chance in ((GROUNDS, 0.6), (HOURS, 0.5), (WEATHER, 0.2))
        if rng.random() < chance
    ]
    return ", ".join(chosen)


def _phrase(table: dict[str, str], name: str) -> str:
    return table[name].partition(",")[0].partition(";")[0].strip()


def _scaled(thing: Thing, scale: Sequence[float]) -> Thing:
    x1, y1, x2, y2 = thing.box
    return Thing(label=thing.label, box=(x1 * scale[0], y1 * scale[1], x2 * scale[0], y2 * scale[1]))
