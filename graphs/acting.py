"""An avatar that is seen while it speaks: its frames stand before the sound that they belong to."""

import math
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
import soxr
from numpy.typing import NDArray

from contracts.avatar import EARLIER, FPS, LATER, RATE_HZ, SAMPLES, FramesRequest
from contracts.engines import Avatar
from graphs.chat import PIECES, Frame, Piece, Said, ahead
from graphs.sounds import Sound

CUT, FIRST_CUT = 10, 5  # frames that are drawn in one go; the first ones of an answer shall come soon
SLOWEST = 5  # frames for one that is shown, where drawing is slow
MARGIN = 1.2  # how much faster than the sound frames should come


class Acting:
    """A `Show` for one conversation: each answer goes on in the pose in which the last one ended.

    Where frames are not drawn as fast as they are seen, fewer are drawn: the sound does not wait for them.
    """

    def __init__(self, avatar: Avatar, key: str, mark: str) -> None:
        self.avatar, self.key, self.mark = avatar, key, mark
        self.pose, self.every = 0, 1

    async def rehearse(self) -> None:
        """Draw a frame for nobody: after that the avatar is there, and known to be whole."""
        await self._drawn(FramesRequest(avatar=self.key, pcm=bytes(2 * SAMPLES)))
        self.every = 1  # it had to be opened first

    async def __call__(self, pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
        """Pieces of sound go out once every frame that is seen while they are heard has."""
        ear, held = Ear(), deque[Piece]()
        async with aclosing(ahead(pieces, PIECES)) as stream:
            async for piece in stream:
                held.append(piece)
                if isinstance(piece, Said):
                    ear.hear(piece.sound)
                async with aclosing(self._shown(ear, held)) as shown:
                    async for each in shown:
                        yield each
        ear.end()
        async with aclosing(self._shown(ear, held)) as shown:
            async for each in shown:
                yield each
        for piece in held:
            yield piece

    async def _shown(self, ear: "Ear", held: deque[Piece]) -> AsyncGenerator[Piece]:
        """Frames that can be drawn, cut by cut, and what need not wait any more."""
        while True:
            while held and _ends_s(held[0]) <= ear.drawn / FPS:
                yield held.popleft()
            if not (cut := ear.cut):
                return
            first, (pcm, before, after, count) = ear.drawn, ear.next(cut)
            asked = {"avatar": self.key, "first": self.pose, "every": self.every, "mark": self.mark}
            request = FramesRequest(pcm=pcm, before=before, after=after, **asked)
            for number, jpeg in enumerate(await self._drawn(request)):
                yield Frame(jpeg, (first + number * request.every) / FPS)
            self.pose += count

    async def _drawn(self, request: FramesRequest) -> list[bytes]:
        begun_s = time.monotonic()
        jpegs = (await self.avatar.render(request)).jpegs
        a_frame_s = (time.monotonic() - begun_s) / len(jpegs)
        self.every = min(SLOWEST, max(1, math.ceil(a_frame_s * FPS * MARGIN)))
        return jpegs


class Ear:
    """A sound as it comes, cut into pieces that frames can be drawn of; it keeps what the next ones depend on."""

    def __init__(self) -> None:
        self.drawn = 0  # frames
        self._heard = np.zeros(0, np.int16)  # at RATE_HZ, from `_kept` frames before the next one
        self._kept, self._ended = 0, False
        self._fit: soxr.ResampleStream | None = None

    def hear(self, sound: Sound) -> None:
        if self._fit is None:
            self._fit = soxr.ResampleStream(sound.rate_hz, RATE_HZ, 1, dtype="float32")  # its int16 is dithered
        self._add(np.frombuffer(sound.pcm, "<i2").astype(np.float32))

    def end(self) -> None:
        """Nothing follows: what was heard can be drawn to its end."""
        self._add(np.zeros(0, np.float32), last=True)
        self._ended = True

    def _add(self, samples: NDArray[np.float32], last: bool = False) -> None:
        if self._fit:
            fitted = np.rint(self._fit.resample_chunk(samples, last=last)).clip(-32_768, 32_767)
            self._heard = np.append(self._heard, fitted.astype(np.int16))

    @property
    def ready(self) -> int:
        """Frames that can be drawn."""
        if self._ended:
            return -(-len(self._heard) // SAMPLES) - self._kept
        return len(self._heard) // SAMPLES - self._kept - LATER

    @property
    def cut(self) -> int:
        """How many to draw next; 0: none yet."""
        wanted = CUT if self.drawn else FIRST_CUT
        return wanted if self.ready >= wanted else self.ready * self._ended

    def next(self, count: int) -> tuple[bytes, int, int, int]:
        """A piece of sound, how many frames of it come before and after those that are wanted, and how many are."""
        before = self._kept
        after = min(LATER, self.ready - count) if self._ended else LATER
        piece = self._heard[: (before + count + after) * SAMPLES]
        self._kept = min(EARLIER, before + count)
        self._heard = self._heard[(before + count - self._kept) * SAMPLES :]
        self.drawn += count
        return piece.tobytes(), before, after, count


def _ends_s(piece: Piece) -> float:
    return piece.start_s + piece.sound.duration_s if isinstance(piece, Said) else piece.start_s
