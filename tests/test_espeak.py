"""Speech by eSpeak NG: what is said, how loud, in which voice, and how soon it stops."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import NotFound
from contracts.speech import AudioChunk, SpeechRequest
from deployments.registry import build
from deployments.speech.chunks import LIMIT_BYTES
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import RATE_HZ
from deployments.speech.spoken import phrases
from tests.waiting import eventually

ZH = "很久很久以前，山上住着一只小兔子，它非常喜欢唱歌。"
EN = "Once upon a time, a little rabbit lived on a hill, and he loved to sing."


@pytest.fixture(scope="module")
def engine() -> Espeak:
    engine = build("speech", "espeak", {"wpm": 165})
    engine.load()
    return engine


def said(engine: Espeak, text: str, voice: str = "", speed: float = 1.0) -> np.ndarray:
    chunks = list(engine.synthesize(SpeechRequest(text=text, voice=voice, speed=speed)))
    assert chunks
    assert all(chunk.sample_rate == RATE_HZ and 0 < len(chunk.pcm) <= LIMIT_BYTES for chunk in chunks)
    assert all(len(chunk.pcm) % 2 == 0 for chunk in chunks)
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2").astype(int)  # (samples,)


def seconds(samples: np.ndarray) -> float:
    """From the first to the last sample that sounds."""
    loud = np.flatnonzero(np.abs(samples) > 200)
    return (loud[-1] - loud[0]) / RATE_HZ if loud.size else 0.0


@pytest.mark.parametrize(("text", "least", "most"), [(ZH, 5, 7.5), (EN, 3.5, 6), ("好。", 0.1, 0.8)])
def test_the_pace_is_natural(engine: Espeak, text: str, least: float, most: float) -> None:
    assert least < seconds(said(engine, text)) < most


@pytest.mark.parametrize("text", [ZH, EN, "我爱Python和Apple手机。"])
def test_it_is_as_loud_as_speech_is_and_never_clipped(engine: Espeak, text: str) -> None:
    samples = said(engine, text)
    sounding = samples[np.abs(samples) > 200]
    assert -22 < 20 * np.log10(np.sqrt(np.mean(sounding**2.0)) / 32_768) < -18
    assert np.abs(samples).max() < 32_000


def test_silence_is_a_short_breath_before_and_a_pause_after(engine: Espeak) -> None:
    for text in (ZH, EN):
        samples = said(engine, text)
        loud = np.flatnonzero(np.abs(samples) > 200)
        assert loud[0] / RATE_HZ < 0.05
        assert 0.2 < (len(samples) - loud[-1]) / RATE_HZ < 0.4


@pytest.mark.parametrize("text", [ZH, EN])
@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.5, 2.0, 4.0])
def test_speed_multiplies_the_rate(engine: Espeak, text: str, speed: float) -> None:
    assert seconds(said(engine, text, speed=speed)) == pytest.approx(seconds(said(engine, text)) / speed, rel=0.2)


def test_slow_speech_keeps_its_pitch(engine: Espeak) -> None:
    def pitch_hz(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
        low = (hz > 100) & (hz < 300)
        return float((spectrum * hz)[low].sum() / spectrum[low].sum())

    text = "啊，啊，啊。"
    assert pitch_hz(said(engine, text, speed=0.3)) == pytest.approx(pitch_hz(said(engine, text)), rel=0.1)


@pytest.mark.parametrize("voice", ["", "cmn", "en-us", "en+f3", "fr"])
def test_mixed_text_is_said_in_both_languages(engine: Espeak, voice: str) -> None:
    both = seconds(said(engine, "兔子喜欢rabbits", voice))
    assert both > seconds(said(engine, "兔子喜欢", voice)) + 0.25
    assert both > seconds(said(engine, "rabbits", voice)) + 0.25


@pytest.mark.parametrize("voice", ["", "en-us", "cmn"])
def test_mandarin_is_said_in_mandarin(engine: Espeak, voice: str) -> None:
    """A voice that does not know the characters names each of them at length: "Chinese letter"."""
    assert seconds(said(engine, "山上住着一只小兔子", voice)) < 3.5


@pytest.mark.parametrize("text", ["…", "。。。", "😀", "👨‍👩‍👧 ❤️ 🇨🇳", " ", "\n\n", "\x00", "——", "\u200b"])
def test_nothing_to_say_is_a_short_silence(engine: Espeak, text: str) -> None:
    samples = said(engine, text)
    assert not samples.any()
    assert 0.1 < len(samples) / RATE_HZ < 0.5


@pytest.mark.parametrize("voice", ["", "cmn", "en"])
def test_markup_and_commands_are_text(engine: Espeak, voice: str) -> None:
    plain = seconds(said(engine, "one two three", voice))
    assert seconds(said(engine, 'one <break time="3s"/> two three', voice)) > plain + 0.5
    assert seconds(said(engine, "one &amp; two three", voice)) > plain + 0.2
    assert np.array_equal(said(engine, "\x0150S one", voice), said(engine, "50S one", voice))
    assert np.array_equal(said(engine, "one\0two", voice), said(engine, "one two", voice))


def test_signs_are_said_in_mandarin(engine: Espeak) -> None:
    assert np.array_equal(said(engine, "甲&乙，3<5，50%", "cmn"), said(engine, "甲和乙，3小于5，百分之50", "cmn"))


def test_the_same_text_gives_the_same_audio(engine: Espeak) -> None:
    """In another second too: the library seeds its breath noise with the time."""
    first, start_s = said(engine, ZH), int(time.time())
    said(engine, EN)
    eventually(lambda: int(time.time()) > start_s, within_s=5)
    assert np.array_equal(said(engine, ZH), first)


def test_threads_do_not_disturb_each_other(engine: Espeak) -> None:
    expected = {text: said(engine, text) for text in (ZH, EN)}
    with ThreadPoolExecutor(4) as pool:
        for text, samples in pool.map(lambda text: (text, said(engine, text)), [ZH, EN] * 8):
            assert np.array_equal(samples, expected[text])


@pytest.mark.parametrize("voice", ["nobody", "en-us+nobody", "en-us+", "+f2", "../en"])
def test_unknown_voices_are_not_found(engine: Espeak, voice: str) -> None:
    with pytest.raises(NotFound) as error:
        said(engine, "hello", voice)
    assert error.value.param == "voice"


def test_every_voice_of_the_list_speaks(engine: Espeak) -> None:
    assert {"cmn", "yue", "en-us", "en"} <= set(engine.voices())
    for voice in engine.voices():
        assert seconds(said(engine, "1 2 3 mama мама", voice)) > 0.2, voice


def test_variants_sound_different(engine: Espeak) -> None:
    assert not np.array_equal(said(engine, EN, "en-us+m3"), said(engine, EN, "en-us+f3"))


def test_a_long_text_starts_at_once_and_stops_when_closed(engine: Espeak) -> None:
    stream = engine.synthesize(SpeechRequest(text="山上住着一只小兔子，" * 400))
    assert isinstance(next(iter(stream)), AudioChunk)
    stream.close()
    assert list(stream) == []


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=1200), st.sampled_from(["", "。", "兔子，", "ok. "]))
def test_phrases_are_short_and_lose_nothing_said(text: str, unit: str) -> None:
    text = text + unit * 200
    found = list(phrases(text))
    assert all(len(phrase) <= 260 for phrase in found)
    assert [c for c in "".join(found) if c.isalnum()] == [c for c in text if c.isalnum()]


@pytest.mark.parametrize("text", ["." * 4096, "a" * 4096, "山" * 4096, "\"'" * 2048, "😀" * 4096, "<" * 500])
def test_hostile_text_is_said_soon(engine: Espeak, text: str) -> None:
    assert next(iter(engine.synthesize(SpeechRequest(text=text)))).pcm
