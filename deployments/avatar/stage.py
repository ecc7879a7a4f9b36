"""Where avatars perform: for whoever listens, piece by piece, and in films."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import av
import numpy as np
import soxr

from contracts.artifacts import Artifact, Files, Provenance
from contracts.avatar import EARLIER, LATER, RATE_HZ, SAMPLES, Frames, FramesRequest, PerformanceRequest
from contracts.errors import EngineFailed
from contracts.model import Progress
from deployments.avatar.engine import AvatarEngine, Pictures, Samples
from deployments.avatar.pictures import Canvas
from deployments.avatar.players import Players
from deployments.avatar.turns import Turns
from deployments.avatar.writing import Writing
from deployments.streams import wanted

CUT = 16  # frames of a film that are drawn in one go


class Stage:
    """An `Avatar` in this process: one engine, the avatars that were asked for last, and one thread that draws."""

    def __init__(self, model: str, engine: AvatarEngine, files: Files, most_bytes: int) -> None:
        self.model, self.engine, self.files = model, engine, files
        self.players, self.turns = Players(model, engine, files, most_bytes), Turns()

    async def render(self, request: FramesRequest) -> Frames:
        samples = _floats(request.pcm)
        async with self.players.lent(request.avatar) as player:
            heard = await asyncio.to_thread(player.hear, samples, request.before, request.after)
            numbers = range(request.first, request.first + len(heard), request.every)
            pictures = await self.turns.draw(player, heard[:: request.every], numbers)
        return Frames(jpegs=await asyncio.to_thread(_jpegs, pictures, request.mark))

    async def perform(
        self, request: PerformanceRequest, key: str, made: Provenance
    ) -> AsyncGenerator[Progress | Artifact]:
        """A job that is stopped meanwhile ends it: `Cancelled`."""
        made = made.model_copy(update={"model": made.model or self.model})
        with tempfile.TemporaryDirectory() as folder:
            sound, film = Path(folder) / f"sound{Path(request.sound).suffix}", Path(folder) / "film.mp4"
            await asyncio.to_thread(self.files.fetch, request.sound, sound)
            async with aclosing(wanted(self._film(request, sound, film), partial(self.files.check_wanted, made))) as on:
                async for progress in on:
                    yield progress
            yield await asyncio.to_thread(self.files.put, key, film, made)

    async def _film(self, request: PerformanceRequest, sound: Path, path: Path) -> AsyncGenerator[Progress]:
        """The next pictures are drawn while the last ones are written."""
        samples = await asyncio.to_thread(_decoded, sound, request.sound)
        count = -(-len(samples) // SAMPLES)
        film = Writing(path, request.mark, (request.sound, sound))
        async with self.players.lent(request.avatar) as player, aclosing(film):
            for first in range(0, count, CUT):
                last = min(first + CUT, count)
                heard = await asyncio.to_thread(player.hear, *_part(samples, first, last, count))
                await film.write(await self.turns.draw(player, heard, range(first, last)))
                yield Progress(fraction=0.99 * last / count)
            await film.finish()
        yield Progress(fraction=1.0)

    def close(self) -> None:
        self.engine.close()


def _floats(pcm: bytes) -> Samples:
    return np.divide(np.frombuffer(pcm, "<i2"), 32_768, dtype=np.float32)


def _part(samples: Samples, first: int, last: int, count: int) -> tuple[Samples, int, int]:
    """Of a whole sound, that of the frames from `first` up to `last`; and how many frames are before and after them."""
    before, after = min(EARLIER, first), min(LATER, count - last)
    return samples[(first - before) * SAMPLES : (last + after) * SAMPLES], before, after


def _jpegs(pictures: Pictures, words: str) -> list[bytes]:
    canvas = Canvas(pictures.shape[2], pictures.shape[1], words)
    return [canvas.jpeg(picture) for picture in pictures]


def _decoded(path: Path, key: str) -> Samples:
    """A sound of ours: a WAV; mono, brought to RATE_HZ."""
    try:
        with av.open(path) as container:
            rate_hz = container.streams.audio[0].rate
            mono = av.AudioResampler(format="flt", layout="mono")
            parts = [piece.to_ndarray()[0] for frame in container.decode(audio=0) for piece in mono.resample(frame)]
    except (av.error.FFmpegError, IndexError):
        parts = []
    if not parts:
        raise EngineFailed(f"{key} is not a sound that can be read.")
    return np.asarray(soxr.resample(np.concatenate(parts), rate_hz, RATE_HZ), np.float32)
