"""Cameras over WebSockets: frames looked at a second, and how old they are when their answer comes.

python -m benchmarks.camera [SECONDS]    # of every row; 20
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from itertools import count

import websockets

from benchmarks.cluster import machine, served
from tests.drawn import drawn
from tests.photographs import encoded, photograph

CAMERAS = (1, 4)
FPS = 30
SIDE = 320  # pixels of a frame
LAST_S = 10.0  # for the last answer
CONFIG = "serve_config.local.yaml"


@dataclass
class Seen:
    """Of one camera: when each frame was sent, and how old it was at its answer, in seconds."""

    sent: dict[int, float] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    frames = [encoded(photograph("astronaut").resize((SIDE, SIDE))), drawn("a cat and a red house", 1, SIDE)]
    print(machine())
    print(
        f"{FPS} frames of {SIDE} pixels a second from each, every other one with a face, the others with drawn things\n"
    )
    print("| cameras | looked at a second, each | all | age p50 ms | p95 ms |\n|---|---|---|---|---|")
    with served(CONFIG) as url:
        asyncio.run(measured(url, 1, frames, 3.0))  # warm
        for cameras in CAMERAS:
            seen = asyncio.run(measured(url, cameras, frames, seconds))
            rate = sum(len(each.ages) for each in seen) / seconds
            ages = [1000 * age for each in seen for age in each.ages]
            p95 = statistics.quantiles(ages, n=20)[-1]
            print(f"| {cameras} | {rate / cameras:.1f} | {rate:.1f} | {statistics.median(ages):.0f} | {p95:.0f} |")


async def measured(url: str, cameras: int, frames: list[bytes], seconds: float) -> list[Seen]:
    return await asyncio.gather(*(film(url, frames, seconds) for _ in range(cameras)))


async def film(url: str, frames: list[bytes], seconds: float) -> Seen:
    """Frames on time, whatever comes back; until the last one has been answered."""
    seen = Seen()
    async with websockets.connect(f"{url.replace('http', 'ws')}/ws/camera") as camera:
        listening = asyncio.create_task(listen(camera, seen))
        began = time.monotonic()
        for number in count(1):
            if time.monotonic() - began > seconds:
                break
            seen.sent[number] = time.monotonic()
            await camera.send(frames[number % len(frames)])
            await asyncio.sleep(max(0.0, began + number / FPS - time.monotonic()))
        seen.sent[0] = 0.0  # nothing more is sent
        await asyncio.wait_for(listening, LAST_S)
    return seen


async def listen(camera: websockets.ClientConnection, seen: Seen) -> None:
    async for message in camera:
        answer = json.loads(message)
        if answer["type"] != "result":
            raise RuntimeError(answer["message"])
        seen.ages.append(time.monotonic() - seen.sent[answer["frame"]])
        if 0 in seen.sent and answer["frame"] == max(seen.sent):
            return


if __name__ == "__main__":
    main()
