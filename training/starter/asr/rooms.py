"""Where it is said: echoes, noise, music, a telephone, and how loud. Silence, noise and music alone, too."""

import numpy as np
import soxr
from numpy.random import Generator
from scipy.signal import fftconvolve, lfilter  # type: ignore[import-untyped]

from training.starter.asr.voices import RATE_HZ


def heard(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """(samples,) of clean speech as a microphone might hear it; a third of it stays clean."""
    out = samples
    if rng.random() < 0.66:
        if rng.random() < 0.35:
            out = echoed(out, rng)
        if rng.random() < 0.4:
            out = tilted(out, rng)
        if rng.random() < 0.6:
            out = out + at_level(background(len(out), rng), out, rng.uniform(8, 40))
        if rng.random() < 0.08:
            out = telephoned(out)
    return gained(out, rng)


def echoed(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """In a room: the sound itself and a decaying noise of echoes, 0.1 to 0.6 s to -60 dB."""
    seconds = rng.uniform(0.1, 0.6)
    times = np.arange(round(seconds * RATE_HZ), dtype="f4") / RATE_HZ
    echoes = rng.standard_normal(len(times), dtype="f4") * np.exp(-6.9 * times / seconds)
    echoes *= rng.uniform(0.1, 0.6) / np.sqrt(np.sum(echoes**2))
    echoes[0] = 1
    return fftconvolve(samples, echoes)[: len(samples)].astype("f4")


def tilted(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """With more bass or more treble."""
    return lfilter([1, rng.uniform(-0.7, 0.7)], [1.0], samples).astype("f4")


def telephoned(samples: np.ndarray) -> np.ndarray:
    """Without anything above 4 kHz."""
    narrow = soxr.resample(soxr.resample(samples, RATE_HZ, 8000, "LQ"), 8000, RATE_HZ, "LQ")
    return np.pad(narrow, (0, max(0, len(samples) - len(narrow))))[: len(samples)]


def background(length: int, rng: Generator) -> np.ndarray:
    """Noise of any colour, now and then a hum or music."""
    draw = rng.random()
    if draw < 0.15:
        return music(length, rng)
    white = rng.standard_normal(length, dtype="f4")
    noise = lfilter([1.0], [1, -rng.choice([0.0, rng.uniform(0, 0.98)])], white).astype("f4")
    return noise / (noise.std() + 1e-9) + (hum(length, rng) if draw < 0.3 else 0)


def hum(length: int, rng: Generator) -> np.ndarray:
    """A mains hum or a motor."""
    times = np.arange(length, dtype="f4") / RATE_HZ
    pitch = rng.uniform(45, 300)
    parts = np.arange(1, 4, dtype="f4")[:, None]
    loud = rng.uniform(0, 1, (3, 1)).astype("f4")
    return (loud * np.sin(2 * np.pi * pitch * parts * times)).sum(0)  # (parts, samples)


def music(length: int, rng: Generator) -> np.ndarray:
    """Plucked chords, one after another."""
    out = np.zeros(length, "f4")
    note = round(rng.uniform(0.15, 0.6) * RATE_HZ)
    times, parts = np.arange(note * 2, dtype="f4") / RATE_HZ, np.arange(1, 4, dtype="f4")[:, None]
    for start in range(0, length, note):
        keys = rng.integers(0, 36) + rng.choice([0, 3, 4, 7, 12], (2, 1, 1))  # above an A of 110 Hz
        tones = np.sin(2 * np.pi * 110 * 2 ** (keys / 12) * parts * times) / parts  # (keys, parts, samples)
        piece = (tones.sum((0, 1)) * np.exp(-times * rng.uniform(2, 8)))[: length - start]
        out[start : start + len(piece)] += piece
    return out


def at_level(noise: np.ndarray, speech: np.ndarray, decibels: float) -> np.ndarray:
    """The noise, that many decibels below what sounds of the speech."""
    sounding = speech[np.abs(speech) > 0.01]
    power = np.sqrt(np.mean(sounding**2)) if sounding.size else 0.1
    return noise * (power / (np.sqrt(np.mean(noise**2)) + 1e-9) * 10 ** (-decibels / 20))


def gained(samples: np.ndarray, rng: Generator) -> np.ndarray:
    """Up to 20 dB softer or 12 dB louder; clipped as a microphone clips."""
    return np.clip(samples * 10 ** (rng.uniform(-20, 12) / 20), -1, 1).astype("f4")


def nobody(length: int, rng: Generator) -> np.ndarray:
    """A recording in which nobody speaks: digital silence, noise or music."""
    draw = rng.random()
    if draw < 0.15:
        return np.zeros(length, "f4")
    sound = music(length, rng) if draw < 0.4 else background(length, rng)
    return np.clip(sound * (10 ** rng.uniform(-4, -0.7) / (sound.std() + 1e-9)), -1, 1).astype("f4")
