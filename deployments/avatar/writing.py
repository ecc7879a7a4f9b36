"""A film of an avatar, written in a thread while its next pictures are drawn."""

import asyncio
from pathlib import Path

from contracts.avatar import FPS
from deployments.avatar.engine import Pictures
from deployments.avatar.pictures import Canvas
from deployments.video.film.mp4 import Mp4


class Writing:
    """`sound`: its name and its file. Use it within `aclosing`."""

    def __init__(self, path: Path, mark: str, sound: tuple[str, Path]) -> None:
        self.path, self.mark, self.sound = path, mark, sound
        self._film: Mp4 | None = None
        self._under_way: asyncio.Task[None] | None = None

    async def write(self, pictures: Pictures) -> None:
        """Returns when those before are written."""
        await self._settled()
        self._under_way = asyncio.create_task(asyncio.to_thread(self._write, pictures))

    async def finish(self) -> None:
        """The film is whole."""
        await self._settled()
        if self._film:
            await asyncio.to_thread(self._film.finish)

    async def aclose(self) -> None:
        """Whatever becomes of it, nobody writes any more."""
        if self._under_way:
            await asyncio.wait([self._under_way])
        if self._film:
            await asyncio.to_thread(self._film.__exit__)

    async def _settled(self) -> None:
        if self._under_way:
            await asyncio.shield(self._under_way)

    def _write(self, pictures: Pictures) -> None:
        if self._film is None:
            self._canvas = Canvas(pictures.shape[2], pictures.shape[1], self.mark)
            self._film = Mp4(self.path, self._canvas.size, FPS, [self.sound])
        for picture in pictures:
            self._film.write(self._canvas.frame(picture, self._film.written))
