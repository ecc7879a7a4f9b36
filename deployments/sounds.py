"""Recordings of any common format, rate and number of channels, decoded: one channel, at the rate that is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from numpy.typing import NDArray

FORMATS = "wav,mp3,flac,ogg,aac,amr,mov,matroska,mpegts,avi,flv,aiff,caf,asf"  # none that names other files to be read


class Broken(Exception):
    """No audio, or none that can be decoded."""


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """A file that has audio. `Broken`, here and while it is decoded."""
    try:
        with av.open(str(path), options={"format_whitelist": FORMATS}) as container:
            if not container.streams.audio:
                raise Broken
            yield container
    except (av.error.FFmpegError, ValueError) as error:  # ValueError: its form changes midway
        raise Broken from error


def decoded(
    container: av.container.InputContainer, rate_hz: int, longest_s: float, form: str = "dblp"
) -> Iterator[NDArray[Any]]:
    """Pieces of it, (samples,) of one channel, until it is over or at least a second longer than it may be.

    `form`: libavutil's name of planar numbers, "dblp" or "fltp"; within ±1 unless the recording holds louder ones.
    """
    resampler, count = av.AudioResampler(format=form, layout="mono", rate=rate_hz), 0
    for frame in container.decode(audio=0):
        for piece in resampler.resample(frame):
            yield piece.to_ndarray()[0]
            count += piece.samples
        if count > (longest_s + 1) * rate_hz:
            return
    for piece in resampler.resample(None):
        yield piece.to_ndarray()[0]
