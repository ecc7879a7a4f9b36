"""Avatars in memory: opened when they are first asked for, the least wanted let go when there is no more room."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from contracts.artifacts import Files
from contracts.avatar import STARTER
from contracts.catalog import CATALOG
from contracts.errors import InvalidInput, NotFound, ServiceError
from contracts.platform import MANIFEST
from deployments.avatar.engine import AvatarEngine, Player


class Players:
    """Of `most_bytes` together, or one that is larger alone. None is let go that is being drawn.

    All calls come from one event loop.
    """

    def __init__(self, engine: AvatarEngine, files: Files, most_bytes: int) -> None:
        self.engine, self.files, self.most_bytes = engine, files, most_bytes
        self._opening: dict[str, asyncio.Task[Player]] = {}  # by key; who was asked for last is last
        self._lent: Counter[str] = Counter()

    @asynccontextmanager
    async def lent(self, key: str) -> AsyncGenerator[Player]:
        """One that stays as long. Several who ask for it open it once; what has failed is tried again by the next."""
        opening = self._opening.pop(key, None)
        if opening is None or _failed(opening):
            opening = asyncio.create_task(asyncio.to_thread(self._open, key))
        self._opening[key] = opening
        self._lent[key] += 1
        try:
            yield await asyncio.shield(opening)
        finally:
            self._lent[key] -= 1
            self._make_room()

    def sizes(self) -> dict[str, int]:
        """Bytes of those that are open, by key; who was asked for last is last."""
        ready = {key: task for key, task in self._opening.items() if task.done() and not _failed(task)}
        return {key: task.result().size_bytes for key, task in ready.items()}

    async def forget_deleted(self) -> None:
        """Let go of those that are in the store no more."""
        for key in list(self._opening):
            if not key.startswith(STARTER) and await asyncio.to_thread(self._is_gone, key):
                self._let_go(key)

    def _make_room(self) -> None:
        for key in [key for key, task in self._opening.items() if task.done() and _failed(task)]:
            self._let_go(key)
        sizes = self.sizes()
        for key in list(sizes)[:-1]:
            if sum(self.sizes().values()) > self.most_bytes:
                self._let_go(key)

    def _let_go(self, key: str) -> None:
        if not self._lent[key]:
            self._opening.pop(key, None)

    def _open(self, key: str) -> Player:
        if key.startswith(f"{STARTER}/"):
            return self.engine.open(CATALOG / key)
        with tempfile.TemporaryDirectory(prefix="avatar-") as folder:
            self._fetch(key, Path(folder))
            return self.engine.open(Path(folder))

    def _fetch(self, key: str, folder: Path) -> None:
        from deployments.avatar.bundle import read_manifest

        try:
            self.files.fetch(f"{key}/{MANIFEST}", folder / MANIFEST)
            for name in read_manifest(folder).files:
                if Path(name).name != name:
                    raise InvalidInput("数字人模型的清单无效。", param="model_param")
                self.files.fetch(f"{key}/{name}", folder / name)
        except NotFound:
            raise NotFound("数字人模型不存在、不完整，或已被删除。", param="model_param") from None

    def _is_gone(self, key: str) -> bool:
        """A store that is away for now has lost nothing."""
        try:
            self.files.read(f"{key}/{MANIFEST}")
        except NotFound:
            return True
        except ServiceError:
            return False
        return False


def _failed(task: asyncio.Task[Player]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
