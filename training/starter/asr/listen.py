"""Held-out clips, and what a model in training makes of them: a falling loss alone proves nothing."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import NamedTuple

import numpy as np
import soxr
import torch
from transformers import WhisperTokenizer

from contracts.prompts import Language
from contracts.speech import SpeechRequest
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import RATE_HZ as SPOKEN_HZ
from deployments.speech.espeak_library import loaded
from training.starter.asr import rooms, texts, voices
from training.starter.asr.batches import WHOLE, stacked
from training.starter.asr.errors import character_error
from training.starter.asr.model import Recogniser, greedy
from training.starter.asr.tokenizer import START, TRANSCRIBE, number
from training.starter.asr.windows import features

HELD_OUT, NOISY, NEW_WORDS, OWN = "held-out voices", "with noise and echo", "new words", "the platform's voice"
KINDS = (HELD_OUT, NOISY, NEW_WORDS, OWN)


class Clip(NamedTuple):
    """(samples,) at 16 kHz of a sentence that one voice says."""

    text: str
    language: Language
    voice: str
    samples: np.ndarray


def clips(seed: int, language: Language, kind: str = NOISY) -> Iterator[Clip]:
    """Held-out sentences without end, each once. All but the platform's own voice are held out too."""
    rng, sounds = Random(f"clips {seed} {language}"), np.random.default_rng(seed)  # noqa: S311
    seen: set[str] = set()
    for text in texts.sentences(rng, language, kind == NEW_WORDS):
        if not texts.held_out(text) or text in seen:
            continue
        seen.add(text)
        voice = voices.drawn(rng, language, held_out=True)
        sound = _own(text) if kind == OWN else _said(text, voice)
        if kind == NOISY:
            sound = rooms.heard(sound, sounds)
        yield Clip(text, language, kind if kind == OWN else voice.name, sound)


def error(
    model: Recogniser, tokenizer: WhisperTokenizer, sample: list[Clip], whole: bool = False
) -> tuple[float, list[str]]:
    """The character error of greedy decoding, and what was heard. `whole`: in windows of half a minute."""
    language = sample[0].language
    given = [number(tokenizer, token) for token in (START, f"<|{language}|>", TRANSCRIBE)]
    heard = stacked([features(clip.samples) for clip in sample], WHOLE if whole else 0)
    model.eval()
    found = greedy(model, heard, torch.tensor([given] * len(sample)))
    model.train()
    told = [tokenizer.decode(row, skip_special_tokens=True).strip() for row in found]
    return character_error(zip([clip.text for clip in sample], told, strict=True), language), told


def kept_sample(seed: int, language: Language, most: int) -> list[Clip]:
    return list(islice(clips(seed, language), most))


def _said(text: str, voice: voices.Voice) -> np.ndarray:
    with loaded() as library:
        return np.pad(voices.say(library, text, voice), voices.RATE_HZ // 4)


def _own(text: str) -> np.ndarray:
    """As the platform's engine says it to everybody who asks for no voice."""
    engine = Espeak()
    engine.load()
    pcm = b"".join(chunk.pcm for chunk in engine.synthesize(SpeechRequest(text=text)))
    return soxr.resample(np.frombuffer(pcm, "<i2").astype("f4") / 32_768, SPOKEN_HZ, voices.RATE_HZ)
