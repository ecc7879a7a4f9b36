"""A film that is ready to be learnt from: each frame, what is behind the head, where the head is, and the sound."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deployments.avatar.reel import Pictures
from deployments.avatar.sound import Sound, windows
from training.avatar.config import Region

BLOCK, HELD = 50, 10  # of each so many frames in a row, the last ones are not learnt
Floats = NDArray[np.float32]
Boxes = NDArray[np.int64]  # (n, 4): left, top, right, bottom, in pixels
HEAD = np.array([[x, y, z] for x in (-0.66, 0.66) for y in (-0.95, 0.85) for z in (-0.4, 0.4)], np.float32)
LOWER = np.array([[x, y, -0.3] for x in (-0.37, 0.37) for y in (0.22, 0.90)], np.float32)
MOUTH = np.array([[x, y, -0.5] for x in (-0.24, 0.24) for y in (0.30, 0.68)], np.float32)


@dataclass(frozen=True)
class Footage:
    """A row a frame, 25 a second. `expression`: blinks first, then what else there is."""

    frames: Pictures  # (n, height, width, RGB)
    behind: Pictures
    sound: Sound  # (n * SAMPLES,)
    camera: NDArray[np.float32]  # (3,) focal length and principal point
    poses: NDArray[np.float32]  # (n, 3, 4) from the head to the camera
    expression: NDArray[np.float32]  # (n, channels)
    source_sha256: str = ""
    key: str = ""  # of the film and how it was made ready; empty: nobody gave it one

    @cached_property
    def windows(self) -> Sound:
        """(n, WIDTH, BINS)"""
        return windows(self.sound)

    @property
    def head(self) -> Boxes:
        return self._around(HEAD)

    @property
    def lower(self) -> Boxes:
        return self._around(LOWER)

    @property
    def mouth(self) -> Boxes:
        return self._around(MOUTH)

    def region(self, name: Region) -> Boxes:
        return self.lower if name == "lower" else self.head

    @property
    def held(self) -> NDArray[np.int64]:
        """Frames that are not learnt, in blocks, so that their sound is not either."""
        numbers = np.arange(len(self.frames))
        return numbers[numbers % BLOCK >= BLOCK - HELD]

    @property
    def taught(self) -> NDArray[np.int64]:
        return np.setdiff1d(np.arange(len(self.frames)), self.held)

    @property
    def sha256(self) -> str:
        """Of everything that is learnt from."""
        whole = hashlib.sha256()
        for each in (self.frames, self.behind, self.sound, self.camera, self.poses, self.expression):
            whole.update(np.ascontiguousarray(each).tobytes())
        return whole.hexdigest()

    def _around(self, corners: NDArray[np.float32]) -> Boxes:
        """Boxes of points of the head (k, 3), within the picture."""
        points = seen_at(corners, self.poses, self.camera)
        low, high = np.floor(points.min(axis=1)), np.ceil(points.max(axis=1))
        height, width = self.frames.shape[1:3]
        boxes = np.concatenate([low, high], axis=1).clip(0, [width, height] * 2).astype(np.int64)
        boxes[:, :2] = np.minimum(boxes[:, :2], [width - 1, height - 1])
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)  # even of a head that has left the picture
        return boxes


def seen_at(points: Floats, poses: Floats, camera: Floats) -> Floats:
    """(n, k, 2): where points of the head (k, 3) are, in pixels."""
    seen = np.einsum("nij,kj->nki", poses[..., :3], points) + poses[:, None, :, 3]
    return (seen[..., :2] / seen[..., 2:] * camera[0] + camera[1:]).astype(np.float32)
