"""The narration: sound files joined sample by sample into one AAC stream."""

from collections.abc import Generator, Iterator, Mapping
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from contracts.errors import EngineFailed

BIT_RATE = 128_000
Samples = NDArray[np.float32]  # (samples,)


class Soundtrack:
    """An audio stream of the container, or nothing at all for a silent film. Holds about a second."""

    def __init__(
        self, container: av.container.OutputContainer, narration: list[str], files: Mapping[str, Path]
    ) -> None:
        self.container = container
        self.written = 0  # samples
        self.stream: av.AudioStream | None = None
        if not narration:
            return
        rates = [_rate(key, files[key]) for key in narration]
        self.rate = 44_100 if all(rate % 11_025 == 0 for rate in rates) else 48_000
        self.stream = container.add_stream("aac", rate=self.rate, layout="mono", bit_rate=BIT_RATE)
        self.fifo = av.AudioFifo()
        self.samples = _joined(list(zip(narration, rates, strict=True)), files, self.rate)

    def until(self, seconds: float) -> None:
        """Encode the narration up to a time, in step with the pictures."""
        while self.stream and self.written < seconds * self.rate:
            samples = next(self.samples, None)
            if samples is None:
                return
            self._write(samples)

    def finish(self) -> None:
        """Encode what is left."""
        if self.stream is None:
            return
        for samples in self.samples:
            self._write(samples)
        if rest := self.fifo.read(partial=True):
            self.container.mux(self.stream.encode(rest))
        self.container.mux(self.stream.encode(None))

    def _write(self, samples: Samples) -> None:
        assert self.stream
        if not samples.size:
            return
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self.written, Fraction(1, self.rate)
        self.written += samples.size
        self.fifo.write(frame)
        for whole in self.fifo.read_many(self.stream.codec_context.frame_size):
            self.container.mux(self.stream.encode(whole))


def _joined(narration: list[tuple[str, int]], files: Mapping[str, Path], rate: int) -> Iterator[Samples]:
    """Files of one rate go through one resampler, so that nothing is lost or repeated where they meet."""
    for source_rate, group in groupby(narration, key=lambda one: one[1]):
        resampler = soxr.ResampleStream(source_rate, rate, 1, dtype="float32")
        for key, _ in group:
            for samples in _decoded(key, files[key]):
                yield resampler.resample_chunk(samples)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _rate(key: str, path: Path) -> int:
    try:
        with av.open(path) as container:
            return container.streams.audio[0].rate
    except (av.error.FFmpegError, IndexError):
        raise EngineFailed(f"{key} is not a sound that can be read.") from None


def _decoded(key: str, path: Path) -> Generator[Samples]:
    """The file's samples, its channels mixed to one."""
    try:
        with av.open(path) as container:
            mono = av.AudioResampler(format="fltp", layout="mono")
            for frame in container.decode(audio=0):
                for mixed in mono.resample(frame):
                    yield mixed.to_ndarray()[0]
    except av.error.FFmpegError:
        raise EngineFailed(f"{key} is not a sound that can be read.") from None
