"""Pitch and language that are asked for: in the model's own voices and in that of a recording."""

from pathlib import Path

import numpy as np
import pytest

from contracts.errors import InvalidInput
from contracts.speech import SpeechRequest
from deployments.registry import build
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import RATE_HZ
from deployments.speech.matching import Matching
from deployments.speech.world import pyworld
from tests.media import speech

TEXTS = {"zh": "很久很久以前，山上住着一只小兔子，它非常喜欢唱歌。", "en": "Once upon a time, a rabbit sang on a hill."}


@pytest.fixture(scope="module", params=["espeak", "matching", "matching a recording"])
def speaker(request: pytest.FixtureRequest) -> tuple[Espeak | Matching, bool]:
    """An engine, and whether it is given a recording."""
    name, _, recording = request.param.partition(" ")
    engine = build("speech", name, {})
    engine.load()
    return engine, bool(recording)


def said(speaker: tuple[Espeak | Matching, bool], folder: Path, **asked: object) -> np.ndarray:
    engine, recording = speaker
    path = folder / "sample.wav"
    path.write_bytes(speech())
    request = SpeechRequest.model_validate({"text": TEXTS["zh"]} | asked)
    pcm = b"".join(chunk.pcm for chunk in engine.synthesize(request, path if recording else None))
    return np.frombuffer(pcm, "<i2") / 32_768  # (samples,)


def pitch_hz(samples: np.ndarray) -> float:
    """The median, by Harvest, which the engines do not use."""
    pitch, _ = pyworld.harvest(samples, RATE_HZ, f0_floor=40, f0_ceil=1_000)
    return float(np.median(pitch[pitch > 0]))


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("semitones", [12.0, -7.0])
def test_semitones_are_what_they_are_called(
    speaker: tuple[Espeak | Matching, bool], tmp_path: Path, language: str, semitones: float
) -> None:
    plain = said(speaker, tmp_path, text=TEXTS[language])
    moved = said(speaker, tmp_path, text=TEXTS[language], pitch=semitones)
    assert pitch_hz(moved) / pitch_hz(plain) == pytest.approx(2 ** (semitones / 12), rel=0.1)
    assert len(moved) == pytest.approx(len(plain), rel=0.02)
    assert np.abs(moved).max() < 0.99


def test_the_language_chooses_the_voice(speaker: tuple[Espeak | Matching, bool], tmp_path: Path) -> None:
    number = "1234"
    spoken = {code: said(speaker, tmp_path, text=number, language=code) for code in ("zh", "en", "fr")}
    looks = said(speaker, tmp_path, text=number)
    assert np.array_equal(looks, spoken["en"])
    assert not np.array_equal(spoken["zh"], spoken["en"]) and not np.array_equal(spoken["fr"], spoken["en"])
    named = said(speaker, tmp_path, text=number, language="zh", voice="en-us+f3")
    assert np.array_equal(named, said(speaker, tmp_path, text=number, voice="en-us+f3"))


def test_a_language_that_nobody_speaks_is_refused(speaker: tuple[Espeak | Matching, bool], tmp_path: Path) -> None:
    for language in ("xx", "zh; drop", "../en"):
        with pytest.raises(InvalidInput) as refusal:
            said(speaker, tmp_path, language=language)
        assert refusal.value.param == "language"
