"""Recordings of a voice, of any common format, rate and number of channels."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from contracts.errors import InvalidInput
from deployments.sounds import Broken, decoded, opened
from deployments.speech.world import RATE_HZ, Samples

SHORTEST_S, LONGEST_S = 1, 60
TINY = 1e-9  # silence stays silence
PADDING_S = 0.2  # what encoders add


@dataclass(frozen=True)
class Recording:
    """A file of audio; equal contents are equal recordings."""

    path: Path = field(compare=False)
    sha256: str

    @classmethod
    def at(cls, path: Path) -> "Recording":
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest())

    def heard(self) -> tuple[Samples, int]:
        """All of it, mono at RATE_HZ, its peak at 1, and the rate in Hz that it was kept at.

        Invalid input: no audio, numbers that are none, less than a second, more than a minute.
        """
        try:
            with opened(self.path) as container:
                rate_hz = container.streams.audio[0].rate
                samples = np.concatenate([np.zeros(0), *decoded(container, RATE_HZ, LONGEST_S)])
        except Broken:
            raise _broken() from None
        if len(samples) < SHORTEST_S * RATE_HZ:
            raise InvalidInput(f"音色样本太短，至少要 {SHORTEST_S} 秒。", param="sample")
        if len(samples) > (LONGEST_S + PADDING_S) * RATE_HZ:
            raise InvalidInput(f"音色样本太长，最多 {LONGEST_S} 秒。", param="sample")
        if not np.isfinite(samples).all():
            raise _broken()
        return samples / max(np.abs(samples).max(), TINY), rate_hz


def _broken() -> InvalidInput:
    return InvalidInput("音色样本不是可以解码的音频。", param="sample")
