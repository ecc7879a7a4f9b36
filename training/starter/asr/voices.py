"""Who says it: eSpeak's variants with a pitch, a pace and a length of the vocal tract of their own."""

import re
import zlib
from ctypes import CDLL
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import espeakng_loader
import numpy as np
import soxr

from contracts.prompts import Language
from deployments.speech import espeak_library
from deployments.speech.espeak import MANDARIN_PACE, SLOWEST_WPM, VARIANT
from deployments.speech.loudness import shaped
from deployments.speech.spoken import symbols

RATE_HZ = 16_000
ACCENTS: dict[Language, dict[str, int]] = {  # eSpeak's tags and their shares
    "zh": {"cmn": 1},
    "en": {"en-us": 6, "en": 2, "en-gb-x-rp": 1, "en-gb-scotland": 1, "en-029": 1, "en-us-nyc": 1},
}
LEFT_OUT = {"whisper", "whisperf", "croak", "Demonic", "caleb", "Reed"}  # no tone, or no two times the same
_STRESS = re.compile(r"^[',%=]+")


class Voice(NamedTuple):
    """`tract`: how much longer than eSpeak's own it sounds; pitch and pace go with it."""

    name: str
    prosody: espeak_library.Prosody
    tract: float = 1.0


@cache
def variants(held_out: bool) -> list[str]:
    """Those of training, or the sixth of them that is kept for the evaluation; the platform's own is in training."""
    files = Path(espeakng_loader.get_data_path(), "voices", "!v").iterdir()  # read while the library is in use
    known = sorted({file.name for file in files} - LEFT_OUT)
    return [name for name in known if (zlib.crc32(name.encode()) % 6 == 0 and f"+{name}" != VARIANT) == held_out]


def drawn(rng: Random, language: Language, held_out: bool = False) -> Voice:
    """A random voice. In training one in six is the platform's own, or eSpeak's plain one."""
    accents = ACCENTS[language]
    tag = rng.choices(list(accents), list(accents.values()))[0]
    variant = "+" + rng.choice(variants(held_out))
    if not held_out and rng.random() < 0.17:
        variant = rng.choice((VARIANT, VARIANT, ""))
    wpm = 165 * (MANDARIN_PACE if language == "zh" else 1) * rng.uniform(0.7, 1.4)
    prosody = espeak_library.Prosody(round(max(wpm, SLOWEST_WPM)), rng.randint(25, 75), rng.randint(40, 80))
    return Voice(tag + variant, prosody, rng.uniform(0.92, 1.1) if rng.random() < 0.5 else 1.0)


def say(library: CDLL, text: str, voice: Voice) -> np.ndarray:
    """(samples,) at RATE_HZ and -20 dBFS, without silence around; empty where nothing is to be said."""
    tag = voice.name.partition("+")[0]
    pcm = shaped(espeak_library.said(library, symbols(text, tag), voice.name, voice.prosody))
    samples = np.frombuffer(pcm, "<i2").astype("f4") / 32_768
    return soxr.resample(samples, espeak_library.RATE_HZ / voice.tract, RATE_HZ) if len(samples) else samples


def phonemes(library: CDLL, text: str, voice: Voice) -> list[str]:
    """eSpeak's names of what the voice has just said, vowels with their tones, without stress and pauses."""
    named = re.split(r"[| ]+", espeak_library.phonemes(library, symbols(text, voice.name.partition("+")[0])))
    bare = (_STRESS.sub("", name) for name in named)
    return [name for name in bare if name and not re.match(r"[_(]", name)]
