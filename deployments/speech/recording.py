"""Recordings of a voice, of any common format, rate and number of channels."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from contracts.errors import InvalidInput
from deployments.speech.world import RATE_HZ, Samples

SHORTEST_S, LONGEST_S = 1, 60
TINY = 1e-9  # silence stays silence
PADDING_S = 0.2  # what encoders add
FORMATS = "wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,aac,aiff,caf"  # none that names other files to be read


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
            with av.open(str(self.path), options={"format_whitelist": FORMATS}) as container:
                rate_hz = container.streams.audio[0].rate
                samples = np.concatenate([np.zeros(0), *_decoded(container)])
        except (av.error.FFmpegError, ValueError, IndexError):  # ValueError: its form changes midway; IndexError: mute
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


def _decoded(container: av.container.InputContainer) -> Iterator[Samples]:
    """Pieces of it, until it is over or too long."""
    resampler, count = av.AudioResampler(format="dblp", layout="mono", rate=RATE_HZ), 0
    for frame in container.decode(audio=0):
        for piece in resampler.resample(frame):
            yield piece.to_ndarray()[0]
            count += piece.samples
        if count > (LONGEST_S + 1) * RATE_HZ:
            return
    for piece in resampler.resample(None):
        yield piece.to_ndarray()[0]
