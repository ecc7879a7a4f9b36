"""Scenes that are drawn once and kept in a folder, so that every epoch sees them again."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts.image import Thing
from training.starter.sight.scenes import SIDE, Scene, scene

SHARD = 500  # scenes a file


@dataclass(frozen=True)
class Pool:
    """The first scenes of a seed. `pictures`: shards of (SHARD, SIDE, SIDE, 3), on the disk until looked at."""

    pictures: list[NDArray[np.uint8]]
    told: list[tuple[str, tuple[Thing, ...]]]

    def __len__(self) -> int:
        return len(self.told)

    def __getitem__(self, number: int) -> Scene:
        subject, things = self.told[number]
        return Scene(self.pictures[number // SHARD][number % SHARD], subject, things)


def pool(folder: Path, seed: str, shards: int) -> Pool:
    """What the folder has not is drawn now: some twenty scenes a second."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = [_shard(folder, seed, number) for number in range(shards)]
    return Pool([pictures for pictures, _ in kept], [row for _, rows in kept for row in rows])


def _shard(folder: Path, seed: str, number: int) -> tuple[NDArray[np.uint8], list[tuple[str, tuple[Thing, ...]]]]:
    pictures, told = folder / f"{seed}-{number:03}.npy", folder / f"{seed}-{number:03}.json"
    if not told.exists():
        drawn = [scene(seed, place) for place in range(number * SHARD, (number + 1) * SHARD)]
        np.save(pictures, np.stack([each.picture for each in drawn]))
        rows = [[each.subject, [thing.model_dump() for thing in each.things]] for each in drawn]
        told.write_text(json.dumps(rows), encoding="utf-8")
    rows = json.loads(told.read_text(encoding="utf-8"))
    found = [(subject, tuple(Thing.model_validate(thing) for thing in things)) for subject, things in rows]
    kept: NDArray[np.uint8] = np.load(pictures, mmap_mode="r")
    assert kept.shape[1:] == (SIDE, SIDE, 3)
    return kept, found
