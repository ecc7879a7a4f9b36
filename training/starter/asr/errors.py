"""Character error: edits per character, with numbers in words (WeTextProcessing) and without case and marks (the
normaliser that Whisper is judged with) on both sides."""

from collections.abc import Iterable

import numpy as np
from transformers.models.whisper.english_normalizer import BasicTextNormalizer

from contracts.prompts import Language
from training.starter.asr.texts import read

BARE = BasicTextNormalizer()


def normal(text: str, language: Language) -> str:
    """Chinese without blanks, English with one between words."""
    return (" " if language == "en" else "").join(BARE(read(text, language)).split())


def edits(told: str, heard: str) -> int:
    """Levenshtein's distance."""
    row = np.arange(len(heard) + 1)
    places = np.arange(len(heard) + 1)
    letters = np.array(list(heard))
    for number, letter in enumerate(told, start=1):
        kept = np.minimum(row[1:] + 1, row[:-1] + (letters != letter))
        row = np.minimum.accumulate(np.concatenate([[number], kept]) - places) + places  # insertions
    return int(row[-1])


def character_error(pairs: Iterable[tuple[str, str]], language: Language) -> float:
    """Over all pairs of what was said and what was heard."""
    told = [(normal(said, language), normal(heard, language)) for said, heard in pairs]
    return sum(edits(*pair) for pair in told) / max(1, sum(len(said) for said, _ in told))
