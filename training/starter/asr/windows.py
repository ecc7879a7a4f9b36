"""Windows of speech: sentences that one or more voices say, with pauses, in a room; their tokens and phonemes."""

from ctypes import CDLL
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from transformers import WhisperTokenizer

from contracts.prompts import Language
from deployments.speech.espeak_library import loaded
from training.starter.asr import rooms, texts, voices
from training.starter.asr.phases import Phase
from training.starter.asr.said import Said
from training.starter.asr.tokenizer import BEFORE, END, SILENCE, START, TIMELESS, TRANSCRIBE, number, spelt, timed
from training.starter.asr.voices import RATE_HZ

CHINESE, UNTIMED, CUT, PROMPTED = 0.55, 0.1, 0.3, 0.05  # shares of windows
FRAME = RATE_HZ // 100  # samples
IGNORED = -100


@dataclass(frozen=True)
class Window:
    """`features`: (80, frames). `labels[i]`: what follows `tokens[i]`, IGNORED where that is given.

    `phonemes`: what the encoder's own head should find; none where the last sentence is cut off.
    """

    features: np.ndarray
    tokens: list[int]
    labels: list[int]
    phonemes: list[str] | None


class Speakers:
    """Makes windows of one phase; all of them follow from `rng`."""

    def __init__(self, tokenizer: WhisperTokenizer, rng: Random, phase: Phase, library: CDLL) -> None:
        self.tokenizer, self.rng, self.phase, self.library = tokenizer, rng, phase, library
        self.sounds = np.random.default_rng(rng.getrandbits(64))
        self.sentences = {"zh": texts.sentences(rng, "zh"), "en": texts.sentences(rng, "en")}

    def window(self) -> Window:
        language: Language = "zh" if self.rng.random() < CHINESE else "en"
        if self.rng.random() < self.phase.silent:
            sound = rooms.nobody(round(self.rng.uniform(0.3, self.phase.longest_s) * RATE_HZ), self.sounds)
            return Window(features(sound), *self._tokens(language, Said(0)), [])
        said = self._said(language)
        sound = rooms.heard(said.samples, self.sounds)
        return Window(features(sound), *self._tokens(language, said), said.phonemes)

    def _said(self, language: Language) -> Said:
        """Sentences until the window is as full as it should be; a whole one may end in the middle of one."""
        said, rng = Said(round(self.phase.longest_s * RATE_HZ)), self.rng
        said.pause(rng.uniform(0, 0.5))
        wanted, voice = said.most * rng.random() ** 1.5, voices.drawn(rng, language)
        while not said.texts or said.length < wanted:
            text = self._text(language)
            sound = voices.say(self.library, text, voice)
            if said.fits(sound) and len(sound):
                said.add(text, sound, voices.phonemes(self.library, text, voice))
                said.pause(rng.uniform(0.05, 0.6))
            elif len(sound) and said.texts:
                if self.phase.whole and rng.random() < CUT:
                    said.cut(sound)
                break
            voice = voice if rng.random() < 0.8 else voices.drawn(rng, language)
        return said

    def _text(self, language: Language) -> str:
        while True:
            if self.rng.random() < self.phase.meaningless:
                text = texts.meaningless(self.rng, language)
            else:
                text = next(self.sentences[language])
                text = self.rng.choice(texts.clauses(text)) if self.rng.random() < self.phase.clauses else text
            if not texts.held_out(text):
                return text

    def _tokens(self, language: Language, said: Said) -> tuple[list[int], list[int]]:
        """With times but for a few; nothing but the time 0.00 where nobody speaks."""

        def token(name: str) -> int:
            return number(self.tokenizer, name)

        timeless = bool(said.texts) and None not in (end for _, end in said.times)
        timeless = timeless and self.rng.random() < UNTIMED
        given = [token(START), token(f"<|{language}|>"), token(TRANSCRIBE), *([token(TIMELESS)] if timeless else [])]
        told = [] if said.texts else [timed(self.tokenizer, 0)]
        for index, (text, (start, end)) in enumerate(zip(said.texts, said.times, strict=True)):
            if end is None:
                told.append(timed(self.tokenizer, start))
                break
            spoken = spelt(self.tokenizer, text, language)
            begun = start if index else 0.0  # as Whisper begins
            told += spoken if timeless else [timed(self.tokenizer, begun), *spoken, timed(self.tokenizer, end)]
        first = token(SILENCE) if not said.texts else given[1]
        labels = [first, *[IGNORED] * (len(given) - 2), *told, token(END)]
        prompt = self._prompt(language) if self.rng.random() < PROMPTED else []
        return [*prompt, *given, *told], [*[IGNORED] * len(prompt), *labels]

    def _prompt(self, language: Language) -> list[int]:
        """Words that a caller says to expect; most often they do not come."""
        return [number(self.tokenizer, BEFORE), *spelt(self.tokenizer, texts.meaningless(self.rng, language), language)]


def windows(tokenizer: WhisperTokenizer, seed: str, phase: Phase, most: int) -> list[Window]:
    """The same seed gives the same ones: eSpeak's library is loaded anew for them."""
    with loaded() as library:
        speakers = Speakers(tokenizer, Random(seed), phase, library)  # noqa: S311
        return [speakers.window() for _ in range(most)]


def features(samples: np.ndarray) -> np.ndarray:
    """(80, frames): what faster-whisper computes of a recording, and without the last frame, as it does."""
    padded = samples if len(samples) > 2 * FRAME else np.pad(samples, (0, 2 * FRAME))
    return np.asarray(_extractor()(padded), "f4")[:, :-1][:, :3000]


@cache
def _extractor() -> FeatureExtractor:
    return FeatureExtractor()
