"""What a person of ours says, and what the face does with it: a known function of the sound."""

from collections.abc import Sequence
from functools import cache
from itertools import cycle
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]
from scipy.signal import resample_poly  # type: ignore[import-untyped]

from contracts.speech import SpeechRequest
from deployments.avatar.sound import FPS, RATE_HZ, SAMPLES, Sound
from deployments.speech import espeak_library
from deployments.speech.espeak import Espeak

WINDOW = 1024  # samples whose loudness and timbre a frame has
LOUD_DB, RANGE_DB = -12.0, 22.0  # a mouth is wide open at the first, and shut so much below
PAUSE_S = 0.35
ROUND = 8 * FPS  # frames


class Line(NamedTuple):
    """`voice`: one of eSpeak's; empty: the language's own."""

    text: str
    voice: str = ""


class Motion(NamedTuple):
    """A row a frame."""

    opening: NDArray[np.float64]
    width: NDArray[np.float64]
    blink: NDArray[np.float64]
    brows: NDArray[np.float64]


def spoken(lines: Sequence[Line], seconds: float) -> Sound:
    """16 kHz mono: the lines over and over, with pauses, for so long."""
    parts: list[Sound] = []
    for line in cycle(lines):
        parts += [_said(line), np.zeros(int(PAUSE_S * RATE_HZ), np.float32)]
        if sum(map(len, parts)) >= seconds * RATE_HZ:
            break
    return np.concatenate(parts)[: round(seconds * FPS) * SAMPLES]


@cache
def _said(line: Line) -> Sound:
    engine = Espeak()
    engine.load()
    pcm = b"".join(engine.spoken(SpeechRequest(text=line.text, voice=line.voice)))
    said = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    return resample_poly(said, RATE_HZ, espeak_library.RATE_HZ).astype(np.float32)


def motion(sound: Sound, seed: int) -> Motion:
    """The mouth follows the sound; eyes and brows do as they like, the same every eight seconds."""
    opening, width = mouth(sound)
    generator = np.random.default_rng(seed)
    blink, beat = np.zeros(ROUND), np.array([0.5, 1.0, 1.0, 0.6, 0.2])
    at = int(generator.integers(10, 30))
    while at < ROUND:
        blink[at : at + len(beat)] = beat[: ROUND - at]
        at += int(generator.integers(45, 90))
    brows = gaussian_filter1d(generator.standard_normal(ROUND), 8, mode="wrap")
    brows = np.clip(0.4 + 0.35 * brows / max(1e-9, float(brows.std())), 0, 1)
    return Motion(opening, width, np.resize(blink, len(opening)), np.resize(brows, len(opening)))


def mouth(sound: Sound) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Opening 0–1 by the loudness around each frame; width by its timbre: dark sounds are round, bright ones wide."""
    frames = len(sound) // SAMPLES
    padded = np.pad(sound, WINDOW // 2)
    middles = np.arange(frames) * SAMPLES + SAMPLES // 2
    pieces = padded[middles[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(pieces, axis=1)) ** 2
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    dark = power[:, (hz > 200) & (hz < 1300)].sum(axis=1)
    bright = power[:, (hz >= 1300) & (hz < 3500)].sum(axis=1)
    loud = 10 * np.log10((dark + bright) / (WINDOW * WINDOW / 8) + 1e-9)
    opening = np.clip((loud - LOUD_DB) / RANGE_DB + 1, 0, 1) ** 1.4
    timbre = np.clip(0.5 + 0.18 * np.log10((bright + 1e-6) / (dark + 1e-6)), 0, 1)
    width = 1 + (timbre - 0.35) * 0.6 * (opening > 0.05)
    return gaussian_filter1d(opening, 0.7), gaussian_filter1d(width, 1.0)
