"""Avatars in memory."""

import asyncio
import tempfile
from pathlib import Path

from contracts.artifacts import Files
from contracts.avatar import STARTER
from contracts.catalog import CATALOG
from contracts.errors import InvalidInput, NotFound, ServiceError
from contracts.platform import MANIFEST
from deployments.avatar.engine import AvatarEngine, Player
from deployments.residents import Residents


class Players(Residents[Player]):
    """A key is a folder of the store, or of the starter avatars."""

    def __init__(self, model: str, engine: AvatarEngine, files: Files, most_bytes: int) -> None:
        super().__init__(most_bytes)
        self.model, self.engine, self.files = model, engine, files

    async def forget_deleted(self) -> None:
        """Let go of those that are in the store no more."""
        for key in list(self._opening):
            if not key.startswith(STARTER) and await asyncio.to_thread(self._is_gone, key):
                self.let_go(key)

    def _model(self, key: str) -> str:
        return self.model

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
