"""The sound around every frame of an avatar: log-mel windows, 25 a second."""

import math
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE_HZ, FPS = 16_000, 25
SAMPLES = RATE_HZ // FPS  # of a frame
BINS, WIDTH = 80, 16  # of a window: mel bins, and steps of 12.5 ms
BEFORE, AFTER = 4, 3  # frames around one that its mouth may depend on
SPAN = BEFORE + 1 + AFTER
FFT, HOP = 800, 200
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
EMPHASIS = 0.97
REFERENCE_DB, FLOOR_DB, RANGE = 20.0, -100.0, 4.0
SIDE = WIDTH * HOP // 2 + FFT // 2  # samples on each side of a frame's middle that its window is made of

Sound = NDArray[np.float32]


def windows(samples: Sound) -> Sound:
    """(frames, WIDTH, BINS) within ±4, centred on the frames, of 16 kHz mono within ±1; a part of a frame counts.

    Around the recording it is silent.
    """
    frames = -(-len(samples) // SAMPLES)
    return _windows(np.pad(samples, (SIDE, SIDE + frames * SAMPLES - len(samples))), frames)


def around(read: Sound, before: int = 0, after: int = 0) -> Sound:
    """(frames, SPAN, width, size): each window of (frames, width, size) with its neighbours, of which the first
    `before` and the last `after` are only neighbours; where some are lacking, the outermost stands for them."""
    padded = np.pad(read, ((max(0, BEFORE - before), max(0, AFTER - after)), (0, 0), (0, 0)), mode="edge")
    views = sliding_window_view(padded, SPAN, axis=0)  # (frames, width, size, SPAN)
    first, count = max(0, before - BEFORE), len(read) - before - after
    return views.transpose(0, 3, 1, 2)[first : first + count]


def _windows(samples: Sound, frames: int) -> Sound:
    """The samples begin SIDE before the first frame."""
    if not frames:
        return np.zeros((0, WIDTH, BINS), np.float32)
    # a frame's middle is half a frame after its beginning; steps are laid around it, HOP apart
    starts = np.arange(frames)[:, None] * SAMPLES + SAMPLES // 2 + (np.arange(WIDTH) * HOP + HOP // 2)[None]
    return _spectra(samples, starts.ravel()).reshape(frames, WIDTH, BINS)


def _spectra(samples: Sound, starts: NDArray[np.int64]) -> Sound:
    """(spectra, BINS): dB of mel energies, brought to ±4."""
    emphasised = np.append(samples[:1], samples[1:] - EMPHASIS * samples[:-1]).astype(np.float32)
    emphasised = np.pad(emphasised, (0, FFT))
    pieces = sliding_window_view(emphasised, FFT)[starts] * _hann()
    levels = np.abs(np.fft.rfft(pieces, axis=1)).astype(np.float32) @ _mels().T
    decibels = 20 * np.log10(np.maximum(levels, 1e-5)) - REFERENCE_DB
    scaled = 2 * RANGE * (decibels - FLOOR_DB) / -FLOOR_DB - RANGE
    return np.clip(scaled, -RANGE, RANGE).astype(np.float32)


@cache
def _hann() -> Sound:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)


@cache
def _mels() -> Sound:
    """(BINS, FFT // 2 + 1): triangles of equal area, evenly spread over O'Shaughnessy's mels."""
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, BINS + 2) / 2595) - 1)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hz = np.fft.rfftfreq(FFT, 1 / RATE_HZ)[None]
    triangles = np.maximum(0, np.minimum((hz - lower) / (centre - lower), (upper - hz) / (upper - centre)))
    return (triangles * 2 / (upper - lower)).astype(np.float32)
