"""Avatars on a stage: frames a second for one conversation and for several, and how soon the first one is there.

python -m benchmarks.acting [folder …]    (of avatars; none: those that ship)
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from benchmarks.cluster import machine
from contracts.avatar import EARLIER, LATER, SAMPLES, STARTER, FramesRequest
from contracts.catalog import CATALOG
from contracts.settings import Settings
from contracts.speech import SpeechRequest
from deployments.avatar.bundle import read_manifest
from deployments.avatar.nerf import Nerf
from deployments.avatar.stage import Stage
from deployments.speech.espeak import Espeak
from deployments.streams import threaded
from graphs.acting import CUT, Acting
from graphs.chat import Frame, Piece, Said
from graphs.sounds import Sound
from store.artifacts import Artifacts
from store.database import Database

KEY = "avatar"
TOGETHER, ROUNDS, CUTS = (1, 4, 10), 5, 5
TEXT = "大家好，欢迎来到我们的直播间，今天给大家介绍一款新的耳机。"


def main() -> None:
    folders = [Path(each) for each in sys.argv[1:]] or sorted((CATALOG / STARTER).iterdir())
    print(machine())
    print(f"\n| avatar | size | {' | '.join(f'{n} at once, frames/s' for n in TOGETHER)} | first frame, s |")
    print("|" + "---|" * (3 + len(TOGETHER)))
    for folder in folders:
        manifest = read_manifest(folder)
        with tempfile.TemporaryDirectory() as var:
            stage = staged(folder, Settings(var=Path(var)))
            rates = [asyncio.run(rate(stage, conversations)) for conversations in TOGETHER]
            first_s = statistics.median(asyncio.run(first(stage)) for _ in range(ROUNDS))
        told = " | ".join(f"{each:.1f}" for each in rates)
        print(f"| {manifest.preset} | {manifest.width} × {manifest.height} | {told} | {first_s:.2f} |", flush=True)


def staged(folder: Path, settings: Settings) -> Stage:
    """A stage with this avatar in its store."""
    Database(settings.tables_url).migrate()
    files, engine = Artifacts(settings), Nerf()
    for each in folder.iterdir():
        files.upload(f"{KEY}/{each.name}", each.read_bytes(), "")
    engine.load()
    return Stage("nerf", engine, files, 1 << 32)


async def rate(stage: Stage, conversations: int) -> float:
    """Frames a second of all together, as files; the first ones, for which it is opened, are not counted."""

    async def listens(number: int, cuts: int) -> None:
        for cut in range(cuts):
            pcm = bytes(2 * SAMPLES * (EARLIER + CUT + LATER))
            first = 1_000 * number + CUT * cut
            await stage.render(FramesRequest(avatar=KEY, pcm=pcm, before=EARLIER, after=LATER, first=first))

    await listens(0, 1)
    begun_s = time.perf_counter()
    await asyncio.gather(*(listens(number, CUTS) for number in range(conversations)))
    return conversations * CUTS * CUT / (time.perf_counter() - begun_s)


async def first(stage: Stage) -> float:
    """Seconds from the first sound of an answer to its first frame; the avatar has been seen before."""
    acting, heard_s = Acting(stage, KEY, "AI生成"), 0.0
    await acting.rehearse()

    async def spoken() -> AsyncGenerator[Piece]:
        nonlocal heard_s
        engine = Espeak()
        engine.load()
        at_s = 0.0
        async with aclosing(threaded(engine.synthesize(SpeechRequest(text=TEXT)))) as chunks:
            async for chunk in chunks:
                heard_s = heard_s or time.perf_counter()
                for sound in Sound(chunk.pcm, chunk.sample_rate).parts(0.5):
                    yield Said(0, sound, at_s)
                    at_s += sound.duration_s

    async with aclosing(acting(spoken())) as pieces:
        async for piece in pieces:
            if isinstance(piece, Frame):
                return time.perf_counter() - heard_s
    raise AssertionError("nobody was seen")


if __name__ == "__main__":
    main()
