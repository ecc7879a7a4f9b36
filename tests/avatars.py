"""Avatars for tests: one that nobody taught anything, and a lamp that is lit while it hears something."""

import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np

from contracts.avatar import STARTER
from contracts.errors import EngineFailed
from contracts.human import AvatarModel
from contracts.platform import MANIFEST
from deployments.avatar.engine import Heard, Pictures, Samples
from deployments.avatar.nerf import Nerf
from deployments.avatar.sound import BEFORE, WIDTH, around, windows
from deployments.avatar.stage import Stage
from store.artifacts import Artifacts
from tests.test_avatar_bundle import bundle

LOUD = -2.0  # of a mel step: what silence is far below
LIT, DARK = 230, 20
BREAKS = 1_000_000


@cache
def content(model: AvatarModel = "ER-NeRF") -> dict[str, bytes]:
    """The files of a bundle, as training publishes them: the manifest last."""
    with tempfile.TemporaryDirectory() as folder:
        bundle(model=model).save(Path(folder))
        paths = sorted(Path(folder).iterdir(), key=lambda path: path.name == MANIFEST)
        return {path.name: path.read_bytes() for path in paths}


def keep(files: Artifacts, key: str, owner: str) -> None:
    """A bundle in the store."""
    for name, each in content().items():
        files.upload(f"{key}/{name}", each, owner)


class Lamp:
    """Grey frames, 32 by 48: light while there is sound in their middle. It tells of whose frames it drew at once.

    It draws while its `gate` is open; what has the number `BREAKS` it cannot.
    """

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def load(self) -> None: ...

    def open(self, folder: Path) -> "Lit":
        self.opened.append(folder)
        return Lit(self)

    def close(self) -> None: ...


class Lit:
    size_bytes = 1

    def __init__(self, lamp: Lamp) -> None:
        self.lamp = lamp

    def hear(self, samples: Samples, before: int, after: int) -> Heard:
        return around(windows(samples), before, after)

    def render(self, heard: Heard, numbers: Sequence[int]) -> Pictures:
        self.lamp.batches.append(list(numbers))
        self.lamp.gate.wait(60)
        if BREAKS in numbers:
            raise EngineFailed("坏了")
        middle = heard[:, BEFORE, WIDTH // 2 - 1 : WIDTH // 2 + 1].max(axis=(1, 2))
        light = np.where(middle > LOUD, LIT, DARK).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(light[:, None, None, None], (len(light), 48, 32, 3)))


def lamp(files: Artifacts) -> tuple[Stage, Lamp]:
    engine = Lamp()
    return Stage("lamp", engine, files, 1 << 30), engine


def nerf(files: Artifacts, most_bytes: int = 1 << 30) -> Stage:
    engine = Nerf(device="cpu")
    engine.load()
    return Stage("SyncTalk", engine, files, most_bytes)


def ship(catalog: Path) -> None:
    """Avatars of both types, where those that ship lie in this catalogue."""
    for model in get_args(AvatarModel):
        folder = catalog / STARTER / model
        folder.mkdir(parents=True)
        for name, each in content(model).items():
            (folder / name).write_bytes(each)
