"""Recordings of a voice, of any common format, rate and number of channels."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from contracts.errors import InvalidInput
from contracts.speech import LONGEST_S, PADDING_S, ROUNDING_S, SHORTEST_S
from deployments.sounds import Broken, decoded, opened
from deployments.speech.quality import check_quality
from deployments.speech.world import RATE_HZ, Samples

TINY = 1e-9  # silence stays silence


@dataclass(frozen=True)
class Recording:
    """A file of audio; equal contents are equal recordings."""

    path: Path = field(compare=False)
    sha256: str

    @classmethod
    def at(cls, path: Path) -> "Recording":
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest())

    def heard(self, rate_hz: int = RATE_HZ) -> tuple[Samples, int]:
        """All of it, mono at `rate_hz`, its peak at 1, and the rate in Hz that it was kept at.

        Invalid input: no audio, numbers that are none, not 3–30 s, nobody who speaks, too quiet, clipped.
        """
        try:
            with opened(self.path) as container:
                kept_hz = container.streams.audio[0].rate
                samples = np.concatenate([np.zeros(0), *decoded(container, rate_hz, LONGEST_S)])
        except Broken:
            raise _broken() from None
        if len(samples) < (SHORTEST_S - ROUNDING_S) * rate_hz:
            raise InvalidInput(f"音色样本太短，至少要 {SHORTEST_S} 秒。", param="sample")
        if len(samples) > (LONGEST_S + PADDING_S) * rate_hz:
            raise InvalidInput(f"音色样本太长，最多 {LONGEST_S} 秒。", param="sample")
        if not np.isfinite(samples).all():
            raise _broken()
        check_quality(samples, rate_hz)
        return samples / max(np.abs(samples).max(), TINY), kept_hz


def _broken() -> InvalidInput:
    return InvalidInput("音色样本不是可以解码的音频。", param="sample")
