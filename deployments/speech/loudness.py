"""Phrases cut to what sounds, and brought to one loudness."""

import math

import numpy as np

from deployments.speech.espeak_library import RATE_HZ

QUIET = 200  # of 32,768: -44 dBFS
EDGE = RATE_HZ // 50  # samples kept before and after: 20 ms
TARGET_RMS = 3_277  # -20 dBFS
PEAK = 29_000  # -1 dBFS


def shaped(pcm: bytes) -> bytes:
    """Trimmed to what sounds and 20 ms around it, at -20 dBFS, nothing clipped; empty if nothing sounds."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int64)  # (samples,); integers add up the same in any order
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not loud.size:
        return b""
    samples = samples[max(0, loud[0] - EDGE) : loud[-1] + EDGE]
    sounding = samples[np.abs(samples) > QUIET]
    gain = min(TARGET_RMS / math.sqrt(int(np.sum(sounding**2)) / sounding.size), PEAK / int(np.abs(samples).max()))
    return np.rint(samples * gain).astype("<i2").tobytes()


def pause(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """Silence."""
    return bytes(2 * round(seconds * rate_hz))
