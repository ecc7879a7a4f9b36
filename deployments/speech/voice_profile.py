"""What is measured of a voice, whatever it says: how high it is, how far it moves, and its long-term spectrum.

Pitch goes by median and quartiles: mean and deviation follow single frames that were heard an octave off.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from deployments.speech.world import BINS, HOP_S, RATE_HZ, Samples, apart, blocks

BANDS = 40
KEPT = 0.45  # of its rate, a recording holds the frequencies below this ratio
QUIET = 1e-3  # of the median of what is voiced: 30 dB below it is no speech
VOICED_S = 0.3  # the least that tells a voice
STEADY = 0.005  # octaves: no voice moves less, hums and test tones do


class Profile(NamedTuple):
    pitch: float  # median, log2 of Hz
    spread: float  # between the quartiles, octaves
    spectrum: NDArray[np.float64]  # (BANDS,), dB; NaN where the recording holds nothing


def profile_of(samples: Samples, rate_hz: int = RATE_HZ) -> Profile:
    """`rate_hz`: that at which it was recorded. Without a voice in it: invalid input."""
    measured = [_measured(block) for block in blocks(samples)]
    pitch_hz = np.concatenate([pitch for pitch, _ in measured])  # (frames,)
    bands = np.concatenate([bands for _, bands in measured])  # (frames, BANDS)
    voiced = pitch_hz > 0
    if np.count_nonzero(voiced) * HOP_S < VOICED_S:
        raise _unheard()
    low, middle, high = np.percentile(np.log2(pitch_hz[voiced]), [25, 50, 75])
    if high - low < STEADY:
        raise _unheard()
    power = bands.sum(axis=1)
    sounding = bands[power > QUIET * np.median(power[voiced])]
    spectrum = np.mean(10 * np.log10(sounding), axis=0)
    return Profile(middle, high - low, np.where(CENTRES_HZ / rate_hz < KEPT, spectrum, np.nan))


def gain(source: Profile, target: Profile, most_db: float) -> NDArray[np.float64]:
    """Factors of power, (BINS,), that give the source's voice the target's spectrum; above what is known, the last."""
    difference = target.spectrum - source.spectrum
    known = np.isfinite(difference)
    difference = difference[known] - difference[known].mean()
    smooth = np.interp(BINS_MEL, CENTRES_MEL[known], np.clip(difference, -most_db, most_db))
    return 10 ** (smooth / 10)


def _measured(samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitch, (frames,), and mean power in bands, (frames, BANDS)."""
    parts = apart(samples)
    return parts.pitch_hz, parts.envelope @ FILTERS.T


def _unheard() -> InvalidInput:
    return InvalidInput("音色样本里没有听到人声。", param="sample")


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2_595 * np.log10(1 + hz / 700)


def _filters() -> NDArray[np.float64]:
    """Triangles, (BANDS, BINS), each with its tips at the neighbours' centres, adding up to one."""
    below, centre, above = EDGES[:-2, None], EDGES[1:-1, None], EDGES[2:, None]
    rising, falling = (BINS_MEL - below) / (centre - below), (above - BINS_MEL) / (above - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return triangles / triangles.sum(axis=1, keepdims=True)


LOWEST_MEL, HIGHEST_MEL = _mel(np.array([60, 10_500]))
BINS_MEL = _mel(np.linspace(0, RATE_HZ / 2, BINS))
EDGES = np.linspace(LOWEST_MEL, HIGHEST_MEL, BANDS + 2)
CENTRES_MEL = EDGES[1:-1]
CENTRES_HZ = 700 * (10 ** (CENTRES_MEL / 2_595) - 1)
FILTERS = _filters()
