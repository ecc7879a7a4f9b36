"""Phrases of PCM as engines give them: in chunks, with a pause after each."""

from collections.abc import Iterable, Iterator

from contracts.speech import AudioChunk
from deployments.speech.loudness import pause

LIMIT_BYTES = 1 << 20
PAUSE_S = 0.25  # after a phrase, and so at the end of every text


def streamed(spoken: Iterable[bytes], rate_hz: int) -> Iterator[AudioChunk]:
    """Each phrase as soon as it is spoken; a pause alone if there are none."""
    said = False
    for pcm in spoken:
        said = True
        yield from _chunks(pcm + pause(PAUSE_S, rate_hz), rate_hz)
    if not said:
        yield from _chunks(pause(PAUSE_S, rate_hz), rate_hz)


def _chunks(pcm: bytes, rate_hz: int) -> Iterator[AudioChunk]:
    for start in range(0, len(pcm), LIMIT_BYTES):
        yield AudioChunk(pcm=pcm[start : start + LIMIT_BYTES], sample_rate=rate_hz)
