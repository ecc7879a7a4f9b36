"""How far a mouth is open in pictures, how loud a voice is, and whether the two go together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FLOOR_DB, RANGE, Sound

LOUD, VOICED = slice(5, 11), slice(6, 60)  # steps of a window about the frame's middle; its bins of 0.2 to 3 kHz
PER_DB = 2 * RANGE / -FLOOR_DB  # of a window's numbers
DARK = 0.6  # of the skin's brightness: what is inside a mouth is darker
Curve = NDArray[np.float64]  # (n,)


def openings(mouths: Sequence[Pictures]) -> Curve:
    """(n,) of pictures of the same person's mouth: how much of each is far darker than the skin about it."""
    grey = [each.astype(np.float64) @ (0.299, 0.587, 0.114) for each in mouths]
    skin = float(np.median(np.concatenate([each.ravel() for each in grey])))
    return np.array([np.maximum(0, DARK - each / max(skin, 1.0)).mean() for each in grey])


def loudness(windows: Sound) -> Curve:
    """(n,) of (n, WIDTH, BINS): the mean amplitude of the voice in each frame."""
    levels = windows[:, LOUD, VOICED].astype(np.float64) / PER_DB  # dB
    return (10 ** (levels / 20)).mean(axis=(1, 2))


def correlation(first: Curve, second: Curve) -> float:
    """Pearson's; 0 where one of them does not change."""
    if len(first) < 3 or first.std() < 1e-9 or second.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def lag_of(opening: Curve, loud: Curve, most: int) -> tuple[int, float]:
    """Frames by which the mouth is later than the voice, `most` at most, and how well they go together then."""
    fits = {}
    for lag in range(-most, most + 1):
        mouth = opening[max(0, lag) : len(opening) + min(0, lag)]
        voice = loud[max(0, -lag) : len(loud) - max(0, lag)]
        fits[lag] = correlation(mouth, voice)
    best = max(fits, key=lambda lag: fits[lag])
    return best, fits[best]


def cut(pictures: Pictures, boxes: NDArray[np.int64]) -> list[Pictures]:
    """What of each picture is in its box."""
    asked = zip(pictures, boxes, strict=True)
    return [each[top:bottom, left:right] for each, (left, top, right, bottom) in asked]
