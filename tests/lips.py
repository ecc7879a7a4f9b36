"""Whether the lips of a film go with its sound: seen and heard from the file alone."""

import io
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.avatar.sound import SAMPLES, windows
from training.avatar.mouth import cut, lag_of, loudness, openings
from training.avatar.preparation.decoding import sound_of
from training.avatar.preparation.landmarks import finder

MOST_LAG, LARGEST = 6, 512


def late(path: Path) -> tuple[int, float]:
    """By how many frames the mouth is later than the voice, and how well they go together then."""
    with av.open(io.BytesIO(path.read_bytes())) as container:
        frames = np.stack([_small(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)])
    heard = sound_of(path)
    heard = np.pad(heard, (0, max(0, len(frames) * SAMPLES - len(heard))))[: len(frames) * SAMPLES]
    return lag_of(openings(cut(frames, _mouths(frames))), loudness(windows(heard)), MOST_LAG)


def _small(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, LARGEST / max(frame.shape[:2]))
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _mouths(frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, 4): a box about the corners of the mouth, by the nearest of the frames in which it was looked for."""
    find = finder("cpu")
    corners = np.repeat([find(frame)[0].points[3:] for frame in frames[::5]], 5, axis=0)[: len(frames)]
    middle, half = corners.mean(axis=1), np.ptp(corners[..., 0], axis=1)[:, None] * [0.7, 0.8]
    return np.concatenate([middle - half, middle + half], axis=1).round().astype(np.int64)
