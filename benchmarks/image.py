"""Pictures a second: `/v1/images/generations` of a cluster against the bare pipeline of diffusers, one after another.

python -m benchmarks.image [FOLDER] [SIDE] [STEPS]    # a diffusers folder; without: the starter's, or one of the tests'
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import aiohttp

from benchmarks.cluster import apart, configured, machine, served
from contracts.catalog import CATALOG

MODEL = "stable-diffusion-v1-5"  # any that the engine diffusers runs: the weights are those of the folder
STARTER = CATALOG / "starter" / "diffusion"
REQUESTS = {1: 6, 4: 16, 16: 48}  # by the number of clients, who share them
ROUNDS = 3  # of the systems in turn, so that a slow moment of the machine meets both
PROMPT = "a red fox beside a blue lake"

Rates = Mapping[int, float]  # pictures a second, by the number of clients


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else model(Path(place))
        side, steps = (int(text) for text in (*sys.argv[2:4], *("256", "20")[len(sys.argv[2:4]) :]))
        systems = [partial(pipeline, side, steps), partial(route, side, steps)]
        rounds = [[apart(system, folder) for system in systems] for _ in range(ROUNDS)]
    bare, ours = zip(*rounds, strict=True)
    print(machine())
    print(f"Model: {folder.name}; {side} x {side}, {steps} steps\n")
    print("| clients | bare pipeline, pictures/s | cluster, pictures/s | of the bare |\n|---|---|---|---|")
    for clients in REQUESTS:
        alone, rate = (statistics.median(rates[clients] for rates in system) for system in (bare, ours))
        print(f"| {clients} | {alone:.2f} | {rate:.2f} | {rate / alone:.2f} |")


def model(place: Path) -> Path:
    """The starter's folder; where there is none, a Stable Diffusion at the size of a stamp, with random weights."""
    if (STARTER / "model_index.json").is_file():
        return STARTER
    from tests.checkpoints.diffusion import stable_diffusion

    stable_diffusion(place / "random")
    return place / "random"


def pipeline(side: int, steps: int, folder: Path) -> Rates:
    """As its documentation has it: one picture a call, however many wait."""
    import torch
    from diffusers import AutoPipelineForText2Image

    pipe = AutoPipelineForText2Image.from_pretrained(folder, dtype=torch.float32)  # weights may lie there in halves
    pipe.set_progress_bar_config(disable=True)

    def draw(seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        pipe(PROMPT, width=side, height=side, num_inference_steps=steps, generator=generator)

    draw(0)
    started = time.perf_counter()
    for seed in range(count := REQUESTS[4]):
        draw(seed)
    return dict.fromkeys(REQUESTS, count / (time.perf_counter() - started))


def route(side: int, steps: int, folder: Path) -> Rates:
    """Whole answers: drawn, labelled, marked, in base64."""
    os.environ["TROUPE_GENERATION_LIMIT"] = "10000000 per minute"
    body = {"prompt": PROMPT, "size": f"{side}x{side}", "num_inference_steps": steps}
    options = {"weights": str(folder.resolve()), "batch": max(REQUESTS)}
    replicas = os.cpu_count()  # of a thread each: the pipeline alone has as many threads
    with configured(MODEL, options, num_replicas=replicas) as config, served(config) as url:
        return asyncio.run(_route(url, body))


async def _route(url: str, body: Mapping[str, object]) -> Rates:
    async with aiohttp.ClientSession(url) as session:

        async def caller(seeds: Sequence[int]) -> None:
            for seed in seeds:
                async with session.post("/v1/images/generations", json={**body, "seed": seed}) as drawn:
                    drawn.raise_for_status()
                    await drawn.read()

        async def rate(clients: int) -> float:
            each = REQUESTS[clients] // clients
            started = time.perf_counter()
            await asyncio.gather(*(caller(range(first * each, (first + 1) * each)) for first in range(clients)))
            return REQUESTS[clients] / (time.perf_counter() - started)

        await caller(range(1))
        return {clients: await rate(clients) for clients in REQUESTS}


if __name__ == "__main__":
    main()
