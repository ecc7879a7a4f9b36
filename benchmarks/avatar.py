"""Avatars: how long they take to be made ready and taught, how well they speak, how fast they are drawn.

python -m benchmarks.avatar                      three seeds of the small presets on somebody who does not exist
python -m benchmarks.avatar --film me.mp4        the same of a film, through pre-flight and preparation
python -m benchmarks.avatar --lifelike           of a film with a wandering lamp and a noisy camera
python -m benchmarks.avatar --draw               frames a second at 96, 256 and 512 pixels, full and small presets
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deployments.avatar.bundle import Bundle, Manifest, Track, feather
from deployments.avatar.field import HeadField
from deployments.avatar.renderer import Renderer
from deployments.avatar.sound import SAMPLES, windows
from deployments.pretrained import best_device
from training.avatar.config import PRESETS, AvatarConfig, config_of
from training.avatar.exporting import even
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Footage, of_take
from training.avatar.judging import judged
from training.avatar.preparation.landmarks import finder
from training.avatar.preparation.prepare import prepared
from training.avatar.synthetic import shoot, write_film
from training.avatar.synthetic.film import Scene

SEEDS = (0, 1, 2)
SIDES = (96, 256, 512)
FRAMES = 50  # of each measurement of drawing
NOISE, DRIFT = 6.0, 0.35  # grey levels; how far the lamp goes


class Forgotten:
    """Checkpoints that nobody needs."""

    def save(self, step: int, state: dict[str, Any]) -> None:
        pass

    def newest(self) -> None:
        return None


def taught(config: AvatarConfig, footage: Footage) -> str:
    """A row: what it took, and how it speaks."""
    training = AvatarTraining(config, footage, lambda _: Forgotten(), device=best_device())
    began, busy = time.perf_counter(), time.process_time()
    training.run()
    spent, cpu = time.perf_counter() - began, time.process_time() - busy
    seen = judged(training)
    said = f"{seen.psnr:.1f} | {seen.voice:.2f} | {seen.shuffled:.2f} | {seen.recorded:.2f} | {seen.truth:.2f}"
    return f"| {config.preset} | {config.seed} | {config.steps} | {spent / 60:.1f} | {cpu / 60:.1f} | {said} |"


def trainings(footage: dict[str, Footage], steps: int, size: int) -> Iterator[str]:
    yield "| preset | seed | steps | minutes | of a processor | PSNR, dB | mouth and voice | shuffled | film | truth |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for model in ("ER-NeRF", "SyncTalk"):
        for seed in SEEDS:
            asked = {"steps": steps, "seed": seed, "size": size}
            yield taught(config_of(model, parameters=asked, small=True), footage[model])  # type: ignore[arg-type]


def ready(film: Path, size: int, folder: Path) -> dict[str, Footage]:
    found = {}
    for model in ("ER-NeRF", "SyncTalk"):
        config = config_of(model, parameters={"size": size}, small=True)  # type: ignore[arg-type]
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
            for start in range(0, FRAMES, 5):
                renderer.render(heard[start : start + 5], start)
            speed = FRAMES / (time.perf_counter() - began)
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
        with tempfile.TemporaryDirectory() as folder:
            lines = iter(list(trainings(_footage(given, Path(folder)), given.steps, given.size)))
    for line in lines:
        print(line, flush=True)


def _footage(given: argparse.Namespace, folder: Path) -> dict[str, Footage]:
    if given.film:
        return ready(given.film, given.size, folder)
    if given.lifelike:
        scene = Scene(side=256, seconds=given.seconds, noise=NOISE, drift=DRIFT, sway=1.2, seed=5)
        write_film(shoot(scene), folder / "film.mp4")
        return ready(folder / "film.mp4", given.size, folder)
    footage = of_take(shoot(Scene(side=given.size, seconds=given.seconds)))
    return dict.fromkeys(("ER-NeRF", "SyncTalk"), footage)


if __name__ == "__main__":
    main()
