"""Speech taken apart, changed, and put together again: equally long, and as loud as everything that is said."""

from collections.abc import Callable

import numpy as np
import soxr

from deployments.speech.loudness import shaped
from deployments.speech.world import RATE_HZ, Parts, Samples, apart, blocks, together

LOUD = 30_000  # of 32,768


def resynthesised(pcm: bytes, change: Callable[[Parts], Parts]) -> bytes:
    samples = samples_of(pcm)
    made = np.concatenate([together(change(apart(block)))[: len(block)] for block in blocks(samples)])
    scale = LOUD / max(np.abs(made).max(), 1e-9)
    return shaped(np.rint(made * scale).astype("<i2").tobytes())


def shifted(pcm: bytes, semitones: float) -> bytes:
    """The same words in the same timbre, higher or lower."""
    factor = 2 ** (semitones / 12)
    return resynthesised(pcm, lambda parts: parts._replace(pitch_hz=parts.pitch_hz * factor))


def brought(samples: Samples, rate_hz: int, semitones: float = 0.0) -> tuple[bytes, int]:
    """PCM as loud as everything that is said, and its rate: another where the pitch is moved. Empty: nothing sounds."""
    scaled = samples / max(float(np.abs(samples).max(initial=0)), 1e-9)
    if semitones:
        scaled, rate_hz = np.clip(soxr.resample(scaled, rate_hz, RATE_HZ), -1, 1), RATE_HZ
    pcm = shaped(np.rint(scaled * LOUD).astype("<i2").tobytes())
    return (shifted(pcm, semitones) if pcm and semitones else pcm), rate_hz


def samples_of(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2") / 32_768
