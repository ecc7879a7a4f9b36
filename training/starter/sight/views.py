"""Scenes as the detector is taught with them: mirrored, shifted, larger or smaller, with the boxes moved along."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.starter.sight.crops import Area, cut, light, tensor
from training.starter.sight.labels import KINDS, kind_of
from training.starter.sight.pool import Pool
from training.starter.sight.scenes import SIDE, Scene

LOOK = 160  # pixels of the square that the detector sees
KEPT = 0.4  # of a thing: what is cut off more than that is not looked for
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Batch:
    """`pixels` (batch, 3, LOOK, LOOK); `labels`: `class_labels` (things,), `boxes` (things, 4): centre, size, 0–1."""

    pixels: Tensor
    labels: list[dict[str, Tensor]]
    index: int


class Views:
    """Batches without end, from the given one on."""

    def __init__(self, pool: Pool, size: int, seed: int, index: int = 0) -> None:
        self.pool, self.size, self.seed, self.index = pool, size, seed, index

    def __iter__(self) -> Iterator[Batch]:
        while True:
            rng = Random(f"{self.seed} {self.index}")  # noqa: S311
            seen = [view(self.pool[rng.randrange(len(self.pool))], rng) for _ in range(self.size)]
            pixels = tensor(np.stack([each for each, _ in seen]), [light(rng) for _ in seen])
            yield Batch(pixels, [labels for _, labels in seen], self.index)
            self.index += 1


def view(scene: Scene, rng: Random) -> tuple[NDArray[np.uint8], dict[str, Tensor]]:
    """A part of the scene, or all of it, and what is there."""
    area = framed(rng)
    pixels, labels = cut(scene, area, LOOK), found(scene, area)
    if rng.random() < 0.5:
        pixels, labels["boxes"][:, 0] = pixels[:, ::-1], 1 - labels["boxes"][:, 0]
    return pixels, labels


def framed(rng: Random) -> Area:
    """All of it as often as not."""
    if rng.random() < 0.5:
        return 0, 0, SIDE, SIDE
    width, height = rng.uniform(0.5, 1) * SIDE, rng.uniform(0.5, 1) * SIDE
    x, y = rng.uniform(0, SIDE - width), rng.uniform(0, SIDE - height)
    return x, y, x + width, y + height


def found(scene: Scene, area: Area) -> dict[str, Tensor]:
    """What is looked for and seen there."""
    rows = [(NUMBERS[kind], _within(thing.box, area)) for thing in scene.things if (kind := kind_of(thing.label))]
    kept = [(number, box) for number, box in rows if box is not None]
    return {
        "class_labels": torch.tensor([number for number, _ in kept], dtype=torch.long),
        "boxes": torch.tensor([box for _, box in kept], dtype=torch.float32).reshape(-1, 4),
    }


def _within(box: Area, area: Area) -> Area | None:
    """Centre and size, as parts of the area; None: too little of it is there."""
    x1, y1, x2, y2 = max(box[0], area[0]), max(box[1], area[1]), min(box[2], area[2]), min(box[3], area[3])
    if x2 <= x1 or y2 <= y1 or (x2 - x1) * (y2 - y1) < KEPT * (box[2] - box[0]) * (box[3] - box[1]):
        return None
    width, height = area[2] - area[0], area[3] - area[1]
    return (
        ((x1 + x2) / 2 - area[0]) / width,
        ((y1 + y2) / 2 - area[1]) / height,
        (x2 - x1) / width,
        (y2 - y1) / height,
    )
