"""Pictures classified, and things detected: our routes against the bare model, in pictures a second.

python -m benchmarks.sight [CLASSIFIER DETECTOR]    # folders in transformers' layout; without: the starter's
"""

import asyncio
import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import torch
from PIL import Image

from benchmarks.cluster import apart, configured, machine, served
from contracts.catalog import CATALOG
from tests.drawn import drawn

ROUTES = {"classify": "starter-classifier", "detect": "starter-detector"}  # whose weights are those of the folder
PICTURES, SIDE = 64, 512
TOGETHER = 8  # pictures in a batch, and clients
ROUNDS = 3  # of the systems in turn, so that a slow moment of the machine meets both

Rates = Mapping[int, float]  # pictures a second, by how many are looked at or sent at once


def main() -> None:
    folders = [Path(each) for each in sys.argv[1:3]] or [
        CATALOG / "starter" / name for name in ("classifier", "detector")
    ]
    print(machine())
    print(f"Models: {', '.join(each.name for each in folders)}; {PICTURES} drawn pictures of {SIDE} pixels\n")
    print("| route | at once | bare model, pictures/s | route | of the bare model's |\n|---|---|---|---|---|")
    contents = pictures()
    for verb, folder in zip(ROUTES, folders, strict=True):
        systems: list[Callable[[Path], Rates]] = [partial(bare, verb, contents), partial(route, verb, contents)]
        rounds = [[apart(system, folder) for system in systems] for _ in range(ROUNDS)]
        for many in (1, TOGETHER):
            alone, ours = (statistics.median(rates[many] for rates in each) for each in zip(*rounds, strict=True))
            print(f"| {verb} | {many} | {alone:.1f} | {ours:.1f} | {ours / alone:.2f} |")


def pictures() -> list[bytes]:
    return [drawn("a cat, a red house and two trees", seed, SIDE) for seed in range(PICTURES)]


def bare(verb: str, contents: Sequence[bytes], folder: Path) -> Rates:
    """As transformers' documentation has it: files decoded, prepared, looked at; one by one, and in batches."""
    from transformers import AutoImageProcessor, AutoModelForImageClassification, AutoModelForObjectDetection

    kind: Any = AutoModelForImageClassification if verb == "classify" else AutoModelForObjectDetection
    processor: Any = AutoImageProcessor.from_pretrained(folder)
    model = kind.from_pretrained(folder).eval()

    def look(some: Sequence[bytes]) -> None:
        opened = [Image.open(io.BytesIO(each)).convert("RGB") for each in some]
        with torch.inference_mode():
            told = model(**processor(opened, return_tensors="pt"))
        if verb == "detect":
            processor.post_process_object_detection(told, target_sizes=[(SIDE, SIDE)] * len(some))

    def rate(many: int) -> float:
        started = time.perf_counter()
        for start in range(0, PICTURES, many):
            look(contents[start : start + many])
        return PICTURES / (time.perf_counter() - started)

    look(contents[:TOGETHER])
    return {many: rate(many) for many in (1, TOGETHER)}


def route(verb: str, contents: Sequence[bytes], folder: Path) -> Rates:
    """Files sent and checked, by one client and by several at once."""
    os.environ["TROUPE_GENERATION_LIMIT"] = "10000000 per minute"
    options = {"weights": str(folder.resolve()), "labels": ""}
    with configured(ROUTES[verb], options, max_ongoing_requests=16) as config, served(config) as url:
        return asyncio.run(_route(url, verb, contents))


async def _route(url: str, verb: str, contents: Sequence[bytes]) -> Rates:
    async with aiohttp.ClientSession(url) as session:

        async def caller(some: Sequence[bytes]) -> None:
            for content in some:
                form = aiohttp.FormData()
                form.add_field("image", content, filename="picture.png")
                async with session.post(f"/api/image-recognition/{verb}", data=form) as seen:
                    seen.raise_for_status()
                    await seen.read()

        async def rate(clients: int) -> float:
            started = time.perf_counter()
            await asyncio.gather(*(caller(contents[first::clients]) for first in range(clients)))
            return len(contents) / (time.perf_counter() - started)

        await caller(contents[:TOGETHER])
        return {clients: await rate(clients) for clients in (1, TOGETHER)}


if __name__ == "__main__":
    main()
