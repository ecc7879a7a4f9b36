"""The part of a recording that a model speaks on from: so much as fits, cut between phrases, with what it says."""

from typing import NamedTuple

import numpy as np

from contracts.transcription import Segment, Transcript
from deployments.speech.world import Samples

MOST_S = 12.0
QUIET = 10 ** (-42 / 20)  # of the peak: before and after what is louder there is nothing to hear
EDGE_S = 0.05  # of silence that stays at the end
ENDS = ("。", "！", "？", ".", "!", "?", "…")


class Excerpt(NamedTuple):
    samples: Samples  # (samples,)
    text: str  # with the sign that ends a sentence


def excerpt(samples: Samples, rate_hz: int, transcript: Transcript) -> Excerpt:
    """Of at most `MOST_S` unless its first phrase is longer. A transcript without times stands for all of it."""
    phrases = transcript.segments
    if len(samples) <= MOST_S * rate_hz or not phrases:
        return Excerpt(_trimmed(samples, rate_hz), _ended(transcript.text))
    kept = [each for each in _fine(phrases) if each.end_s <= MOST_S] or phrases[:1]
    text = "".join(each.text if _ideographs(each.text) else f" {each.text}" for each in kept)
    return Excerpt(_trimmed(samples[: round(kept[-1].end_s * rate_hz)], rate_hz), _ended(text))


def _fine(phrases: list[Segment]) -> list[Segment]:
    """Phrases; words where the first phrase is too long."""
    if phrases[0].end_s <= MOST_S or not phrases[0].words:
        return phrases
    return [Segment(**word.model_dump()) for word in phrases[0].words]


def _ideographs(text: str) -> bool:
    return any("㐀" <= character <= "鿿" for character in text)


def _trimmed(samples: Samples, rate_hz: int) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max())
    return np.concatenate([samples[loud[0] : loud[-1] + 1], np.zeros(round(EDGE_S * rate_hz))])


def _ended(text: str) -> str:
    text = text.strip()
    return text if text.endswith(ENDS) else text + ("。" if _ideographs(text) else ".")
