"""Speech slower or faster at the same pitch, by FFmpeg's `atempo`."""

import math
from fractions import Fraction

import av
import numpy as np

from deployments.speech.espeak_library import RATE_HZ

SLOWEST = 0.5  # what one filter can do


def stretched(pcm: bytes, factor: float, rate_hz: int = RATE_HZ) -> bytes:
    """The same words, `factor` times as long."""
    count = max(1, math.ceil(math.log(factor, 1 / SLOWEST)))
    graph = av.filter.Graph()
    chain = [graph.add_abuffer(sample_rate=rate_hz, format="s16", layout="mono", time_base=Fraction(1, rate_hz))]
    chain += [graph.add("atempo", f"{factor ** (-1 / count):.6f}") for _ in range(count)]
    chain += [graph.add("aformat", "sample_fmts=s16"), graph.add("abuffersink")]
    graph.link_nodes(*chain).configure()
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate_hz, 0
    graph.push(frame)
    graph.push(None)
    return b"".join(_pulled(graph))


def _pulled(graph: av.filter.Graph) -> list[bytes]:
    """Everything that comes out of the graph."""
    pulled: list[bytes] = []
    while True:
        try:
            pulled.append(graph.pull().to_ndarray().astype("<i2").tobytes())
        except (av.error.BlockingIOError, av.error.EOFError):
            return pulled
