"""Avatars: how long they take to be made ready and taught, how well they speak, how fast they are drawn.

python -m benchmarks.avatar                      three seeds of the small presets on somebody who does not exist
python -m benchmarks.avatar --film me.mp4        the same of a film, through pre-flight and preparation
python -m benchmarks.avatar --lifelike           of films of several people, with a wandering lamp and a noisy camera
python -m benchmarks.avatar --draw               frames a second at 96, 256 and 512 pixels, full and small presets
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.people import PEOPLE
from contracts.human import AvatarModel
from deployments.avatar.bundle import Bundle, Manifest, Track, feather
from deployments.avatar.field import HeadField
from deployments.avatar.renderer import Renderer
from deployments.avatar.sound import SAMPLES, windows
from deployments.pretrained import best_device
from training.avatar.config import PRESETS, AvatarConfig, config_of
from training.avatar.exporting import even
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Footage
from training.avatar.judging import judged
from training.avatar.known import of_take
from training.avatar.preparation.landmarks import finder
from training.avatar.preparation.prepare import prepared
from training.avatar.synthetic import shoot, write_film
from training.avatar.synthetic.film import Scene

Filmed = Iterator[tuple[str, dict[AvatarModel, Footage]]]
MODELS: tuple[AvatarModel, ...] = ("ER-NeRF", "SyncTalk")
SEEDS = (0, 1, 2)
SIDES = (96, 256, 512)
FRAMES, LONGEST_S = 50, 20.0  # of each measurement of drawing, at most


class Forgotten:
    """Checkpoints that nobody needs."""

    def save(self, step: int, state: dict[str, Any]) -> None:
        pass

    def newest(self) -> None:
        return None


def taught(who: str, config: AvatarConfig, footage: Footage) -> str:
    """A row: what it took, and how it speaks."""
    training = AvatarTraining(config, footage, lambda _: Forgotten(), device=best_device())
    began, busy = time.perf_counter(), time.process_time()
    training.run()
    spent, cpu = time.perf_counter() - began, time.process_time() - busy
    seen = judged(training)
    said = f"{seen.psnr:.1f} | {seen.voice:.2f} | {seen.shuffled:.2f} | {seen.recorded:.2f} | {seen.truth:.2f}"
    return f"| {who} | {config.preset} | {config.seed} | {config.steps} | {spent / 60:.1f} | {cpu / 60:.1f} | {said} |"


def trainings(filmed: Filmed, seeds: Sequence[int], steps: int, size: int) -> Iterator[str]:
    columns = ("who", "preset", "seed", "steps", "minutes", "of a processor", "PSNR, dB", "mouth and voice")
    yield f"| {' | '.join((*columns, 'shuffled', 'film', 'truth'))} |"
    yield "|---" * 11 + "|"
    for who, footage in filmed:
        for model, seed in product(MODELS, seeds):
            asked = {"steps": steps, "seed": seed, "size": size}
            yield taught(who, config_of(model, parameters=asked, small=True), footage[model])


def ready(film: Path, size: int, folder: Path) -> dict[AvatarModel, Footage]:
    found: dict[AvatarModel, Footage] = {}
    for model in MODELS:
        config = config_of(model, parameters={"size": size}, small=True)
        began, busy = time.perf_counter(), time.process_time()
        found[model], report = prepared(film, config, finder(), folder)
        spent = f"{time.perf_counter() - began:.1f} s, {time.process_time() - busy:.1f} s of a processor"
        print(f"{model}: {len(found[model].frames)} frames made ready in {spent}\n{report}", flush=True)
    return found


def drawing(device: str) -> Iterator[str]:
    """Of heads that nobody taught anything, whose cells are occupied where a head is: a ball."""
    yield "| preset | side | drawn, pixels | frames a second | first frame, ms |"
    yield "|---|---|---|---|---|"
    for preset, config in PRESETS.items():
        for side in SIDES:
            renderer = Renderer(_ball(config, side), device)
            heard = windows(np.zeros(SAMPLES * FRAMES, np.float32))
            renderer.render(heard[:2], 0)
            began = time.perf_counter()
            renderer.render(heard[:1], 0)
            first = time.perf_counter() - began
            began = time.perf_counter()
            drawn = 0
            while drawn < FRAMES and time.perf_counter() < began + LONGEST_S:
                renderer.render(heard[drawn : drawn + 5], drawn)
                drawn += 5
            speed = drawn / (time.perf_counter() - began)
            height, width = renderer.mask.shape
            yield f"| {preset} | {side} | {width}x{height} | {speed:.1f} | {first * 1000:.0f} |"


def _ball(config: AvatarConfig, side: int) -> Bundle:
    take = shoot(Scene(side=48, seconds=1))
    scale = side / 48
    small = of_take(take)
    boxes, high, wide = even((small.region(config.drawn) * scale).astype(np.int64), side, side)
    field, grid = HeadField(config.shape), config.shape.grid
    axis = (torch.arange(grid) + 0.5) / grid * 2 - 1
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    radius = ((x / 0.6) ** 2 + (y / 0.8) ** 2 + (z / 0.65) ** 2).sqrt()
    field.occupied.copy_((radius < 1) & (radius > 0.85))  # of a head that is learnt, its surface
    track = Track(
        camera=torch.from_numpy(take.camera * np.float32(scale)),
        poses=torch.from_numpy(take.poses),
        expression=torch.zeros(len(boxes), config.shape.expression),
        boxes=torch.from_numpy(boxes),
        mask=torch.from_numpy(feather(high, wide)),
    )
    frames = np.zeros((len(boxes), side, side, 3), np.uint8)
    said = {"model": config.model, "preset": config.preset, "width": side, "height": side, "frames": len(boxes)}
    return Bundle(
        Manifest.model_validate(said | {"shape": config.shape, "licence": "none"}), field, track, frames, frames
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--lifelike", action="store_true")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--size", type=int, default=80, help="pixels a side that are learnt")
    parser.add_argument("--seconds", type=float, default=8.0, help="of the person who does not exist")
    given = parser.parse_args()
    if given.draw:
        lines = drawing(best_device())
    else:
        seeds = SEEDS[:1] if given.lifelike else SEEDS
        lines = trainings(_filmed(given), seeds, given.steps, given.size)
    for line in lines:
        print(line, flush=True)


def _filmed(given: argparse.Namespace) -> Filmed:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.film:
            yield given.film.stem, ready(given.film, given.size, folder)
        elif given.lifelike:
            for who, scene in PEOPLE.items():
                write_film(shoot(replace(scene, seconds=given.seconds)), folder / "film.mp4")
                yield who, ready(folder / "film.mp4", given.size, folder)
        else:
            footage = of_take(shoot(Scene(side=given.size, seconds=given.seconds)))
            yield "nobody", dict.fromkeys(MODELS, footage)


if __name__ == "__main__":
    main()
