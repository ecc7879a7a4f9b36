"""What a face does besides speaking, from the pictures about its five points."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter  # type: ignore[import-untyped]

from contracts.errors import InvalidInput
from deployments.avatar.reel import Pictures
from training.avatar.preparation.landmarks import Points, rows_of

BLINKS, BROWS = [8, 9], [0, 1, 2, 3, 4]  # among MediaPipe's blendshapes without the first, `_neutral`
WIDE, HIGH = 48, 24  # pixels of an eye that is looked at
EYE, BROW = (0.5, 0.6), (0.62, 0.34)  # widths and heights that are looked at, in distances between the eyes
ABOVE = 0.5  # of a brow above its eye, in the same
Point = NDArray[np.float32]  # (2,)
LEAST = 0.05  # a change of darkness below which nothing is known


def expression_of(frames: Pictures, points: Points) -> NDArray[np.float32]:
    """(n, 2): how far the eyes are closed, and how high the brows are, within 0–1 over the film."""
    eyes, brows = [], []
    for frame, marks in zip(frames, points, strict=True):
        apart = float(np.linalg.norm(marks[1] - marks[0]))
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        patches = [_patch(grey, mark, apart, EYE) for mark in marks[:2]]
        up = np.array([0, ABOVE * apart], np.float32)
        above = [_patch(grey, mark - up, apart, BROW) for mark in marks[:2]]
        eyes.append(np.mean([_dark(each) for each in patches]))
        brows.append(np.mean([_height(each) for each in above]))
    return np.stack([1 - _ranged(np.array(eyes)), _ranged(np.array(brows))], axis=1).astype(np.float32)


def blendshapes(content: bytes, count: int, channels: int) -> NDArray[np.float32]:
    """(count, 7) blinks and brows of a caller's, or (count, 1) the mean blink where no more is asked for: MediaPipe's
    52 without `_neutral` in a .npy file, as SyncTalk's `bs.npy` has them. `InvalidInput` for what is none."""
    given = rows_of(content, count, "expression")
    if given.ndim != 2 or given.shape[1] not in (51, 52):
        raise InvalidInput("表情系数应为 (帧数, 52) 的有限数值。", param="expression")
    smooth = np.clip(savgol_filter(given, 5, 3, axis=0), 0, 1) if count >= 5 else given
    blinks = smooth[:, BLINKS]
    return (np.hstack([blinks, smooth[:, BROWS]]) if channels > 1 else blinks.mean(axis=1)[:, None]).astype(np.float32)


def _patch(grey: NDArray[np.uint8], centre: Point, apart: float, part: tuple[float, float]) -> NDArray[np.float32]:
    """(HIGH, WIDE)"""
    size = (max(2, round(part[0] * apart)), max(2, round(part[1] * apart)))
    cut = cv2.getRectSubPix(grey, size, (float(centre[0]), float(centre[1])))
    return np.asarray(cv2.resize(cut, (WIDE, HIGH)), np.float32)


def _dark(patch: NDArray[np.float32]) -> float:
    """How dark the middle is, beside the skin: an open eye has an iris."""
    skin = float(np.percentile(patch, 80))
    return float(np.maximum(0, 1 - patch[HIGH // 4 : -HIGH // 4, WIDE // 4 : -WIDE // 4] / max(skin, 1.0)).mean())


def _height(patch: NDArray[np.float32]) -> float:
    """Where the dark of the brow is, upwards."""
    dark = np.maximum(0, np.percentile(patch, 75) - patch).sum(axis=1)
    return -float((dark * np.arange(HIGH)).sum() / max(float(dark.sum()), 1e-6)) / HIGH


def _ranged(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From its lowest to its usual value as 0 to 1; all 1 where it hardly changes."""
    low, usual = np.percentile(values, [2, 75])
    if usual - low < LEAST:
        return np.ones_like(values)
    ranged = np.clip((values - low) / (usual - low), 0, 1)
    window = min(5, len(values) - (len(values) + 1) % 2)
    return np.clip(savgol_filter(ranged, window, 2), 0, 1) if window > 2 else ranged
