"""Speech taken apart, changed, and put together again: equally long, and as loud as everything that is said."""

from collections.abc import Callable

import numpy as np

from deployments.speech.loudness import shaped
from deployments.speech.world import Parts, Samples, apart, blocks, together

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


def samples_of(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2") / 32_768
