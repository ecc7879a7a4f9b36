"""The WORLD vocoder (Morise et al. 2016): speech taken apart into pitch, spectral envelope and breath, and back.

Calls leave the interpreter's lock to other threads.
"""

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks pkg_resources for its version
    import pyworld

RATE_HZ = 22_050
LOWEST_HZ, HIGHEST_HZ = 60.0, 600.0
BINS = pyworld.get_cheaptrick_fft_size(RATE_HZ, LOWEST_HZ) // 2 + 1  # 1,025
HOP_S = 0.005
LOW_BINS = BINS // 11  # up to 1 kHz
NOISE = 0.9  # a frame with more breath than this at the bottom has no voice; with noise at 5 dB a voice has 0.6
JUMP = 0.2  # how far pitch may leap from frame to frame; twice the usual finds a tenth more of what is voiced
BLOCK = 8 * RATE_HZ  # samples that are taken apart at once: 26 MB of frames

Samples = NDArray[np.float64]  # (samples,), mono, within ±1


class Parts(NamedTuple):
    pitch_hz: NDArray[np.float64]  # (frames,); 0 where there is no voice
    envelope: NDArray[np.float64]  # (frames, BINS), power
    breath: NDArray[np.float64]  # (frames, BINS), the ratio of noise


def apart(samples: Samples) -> Parts:
    """A frame for every HOP_S."""
    samples = np.ascontiguousarray(samples)
    rough, times = pyworld.dio(samples, RATE_HZ, LOWEST_HZ, HIGHEST_HZ, frame_period=1000 * HOP_S, allowed_range=JUMP)
    pitch = pyworld.stonemask(samples, rough, times, RATE_HZ)
    envelope = pyworld.cheaptrick(samples, pitch, times, RATE_HZ, f0_floor=LOWEST_HZ)
    breath = pyworld.d4c(samples, pitch, times, RATE_HZ, fft_size=2 * (BINS - 1))
    voiced = breath[:, :LOW_BINS].mean(axis=1) < NOISE
    return Parts(np.where(voiced, pitch, 0.0), envelope, breath)


def together(parts: Parts) -> Samples:
    """Speech, a frame's length longer than what was taken apart, at most. Its breath is the same noise every time."""
    return pyworld.synthesize(*map(np.ascontiguousarray, parts), RATE_HZ, 1000 * HOP_S)


def blocks(samples: Samples) -> Iterator[Samples]:
    """Pieces of 2 to 8 seconds, or one that is shorter, cut where it is quietest. Nothing is lost."""
    hop = RATE_HZ // 50
    while len(samples) > BLOCK:
        window = samples[BLOCK // 2 : BLOCK * 3 // 4]
        hops = window[: len(window) // hop * hop].reshape(-1, hop)  # (hops, samples)
        cut = BLOCK // 2 + int(np.argmin(np.sum(hops**2, axis=1))) * hop + hop // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples
