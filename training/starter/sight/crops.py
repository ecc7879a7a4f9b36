"""Parts of scenes, each with the one thing that it is about: what the classifier is taught with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from contracts.image import Thing
from training.starter.sight.labels import CLASSES, LANDSCAPE
from training.starter.sight.pool import Pool
from training.starter.sight.scenes import FIGURES, SIDE, Scene

LOOK = 128  # pixels of the square that the classifier sees
WHOLE = 0.4  # of the lessons: the scene as it is
SMALLEST = 10.0  # pixels of a scene, of a thing that a part of it can be about
NUMBERS = {name: number for number, name in enumerate(CLASSES)}
Area = tuple[float, float, float, float]  # x1, y1, x2, y2 in a scene


@dataclass(frozen=True)
class Batch:
    """`pixels` (batch, 3, LOOK, LOOK), 0–1 about 0.5 with a width of 0.5; `labels` (batch,)."""

    pixels: Tensor
    labels: Tensor
    index: int


class Crops:
    """Batches without end, from the given one on."""

    def __init__(self, pool: Pool, size: int, seed: int, index: int = 0) -> None:
        self.pool, self.size, self.seed, self.index = pool, size, seed, index

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self._batch(self.index)
            self.index += 1

    def _batch(self, index: int) -> Batch:
        rng = Random(f"{self.seed} {index}")  # noqa: S311
        lessons: list[tuple[NDArray[np.uint8], int]] = []
        while len(lessons) < self.size:
            scene = self.pool[rng.randrange(len(self.pool))]
            if found := part(scene, rng):
                area, label = found
                lessons.append((mirrored(cut(scene, area), rng), NUMBERS[label]))
        pictures = np.stack([picture for picture, _ in lessons])
        lights = [light(rng) for _ in lessons]
        return Batch(tensor(pictures, lights), torch.tensor([label for _, label in lessons]), index)


def subject(scene: Scene) -> Thing | None:
    """What the scene is about, where that is seen."""
    named = [thing for thing in scene.things if thing.label == scene.subject and thing.label in NUMBERS]
    return max(named, key=_size, default=None)


def is_plain(scene: Scene) -> bool:
    """Whether all would say that it is about its subject: figures stand in front of things."""
    return scene.subject in FIGURES or not any(thing.label in FIGURES for thing in scene.things)


def is_landscape(scene: Scene) -> bool:
    """Whether nothing is on it that a picture can be about."""
    return not any(thing.label in NUMBERS for thing in scene.things)


def part(scene: Scene, rng: Random) -> tuple[Area, str] | None:
    """A part of the scene, and what is on it; None: nobody could tell what it is about."""
    if is_landscape(scene):
        return (_somewhere(rng) if rng.random() > WHOLE else (0, 0, SIDE, SIDE)), LANDSCAPE
    seen = [thing for thing in scene.things if thing.label in NUMBERS and _size(thing) >= SMALLEST]
    first = subject(scene)
    if first and rng.random() < WHOLE and is_plain(scene):
        return (0, 0, SIDE, SIDE), first.label
    if not seen:
        return None
    chosen = first if first in seen and rng.random() < 0.5 else rng.choice(seen)
    assert chosen
    return _about(chosen, rng), chosen.label


def _about(thing: Thing, rng: Random) -> Area:
    """A part that the thing takes much of, not always all of it."""
    x1, y1, x2, y2 = thing.box
    long = max(x2 - x1, y2 - y1)
    width, height = (min(SIDE, long * rng.uniform(0.85, 2.2) * rng.uniform(0.85, 1.15)) for _ in range(2))
    x = (x1 + x2 - width) / 2 + rng.uniform(-0.25, 0.25) * max(width - (x2 - x1), 0.2 * width)
    y = (y1 + y2 - height) / 2 + rng.uniform(-0.25, 0.25) * max(height - (y2 - y1), 0.2 * height)
    x, y = min(max(x, 0), SIDE - width), min(max(y, 0), SIDE - height)
    return x, y, x + width, y + height


def _somewhere(rng: Random) -> Area:
    side = rng.uniform(0.5, 1) * SIDE
    x, y = rng.uniform(0, SIDE - side), rng.uniform(0, SIDE - side)
    return x, y, x + side, y + side


def cut(scene: Scene, area: Area, side: int = LOOK) -> NDArray[np.uint8]:
    whole = Image.fromarray(np.asarray(scene.picture))
    return np.asarray(whole.resize((side, side), Image.Resampling.BILINEAR, box=area))


def mirrored(pixels: NDArray[np.uint8], rng: Random) -> NDArray[np.uint8]:
    """Now and then."""
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def light(rng: Random) -> tuple[list[float], list[float]]:
    """What red, green and blue are multiplied by, and what is added to them: brightness, contrast and tint."""
    bright, contrast = rng.uniform(0.8, 1.15), rng.uniform(0.8, 1.15)
    gains = [bright * contrast * rng.uniform(0.92, 1.08) for _ in range(3)]
    return gains, [127.5 * (1 - contrast) * bright] * 3


def tensor(pictures: NDArray[np.uint8], lights: Sequence[tuple[list[float], list[float]]]) -> Tensor:
    """(batch, height, width, 3) of bytes as the models take them, each in its light."""
    gains, added = torch.tensor(lights).unbind(1)  # (batch, 3)
    pixels = torch.from_numpy(pictures).float() * gains[:, None, None] + added[:, None, None]
    return pixels.clamp_(0, 255).div_(127.5).sub_(1).permute(0, 3, 1, 2)  # channels last in memory


def _size(thing: Thing) -> float:
    x1, y1, x2, y2 = thing.box
    return max(0.0, (x2 - x1) * (y2 - y1)) ** 0.5
