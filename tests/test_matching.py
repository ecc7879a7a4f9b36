"""Speech in the voice of a recording: how near it comes, what is kept of the words, what is refused."""

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr

from contracts.catalog import models
from contracts.errors import InvalidInput, NotFound
from contracts.settings import Settings
from contracts.speech import AudioChunk, SpeechRequest
from deployments.registry import build
from deployments.speech import espeak_library
from deployments.speech.espeak_library import RATE_HZ, Prosody
from deployments.speech.matching import Matching
from deployments.speech.recording import Recording
from deployments.speech.voice_profile import profile_of
from deployments.speech.world import BLOCK, blocks
from store.artifacts import Artifacts
from store.database import Database
from tests.media import film

LEARNT = {
    "cmn": "春天来了，河边的柳树发了芽，孩子们脱下棉衣去放风筝。老爷爷坐在桥头。",
    "en-us": "Spring has come. The children take their kites to the river, and an old man tells stories.",
}
SPOKEN = {
    "cmn": "欢迎大家来到直播间，今天给家人们带来一款智能降噪耳机。",
    "en-us": "Welcome to our show. The weather this week will be mild and cloudy, with a chance of showers.",
}
SPEAKERS = [  # language, variant and pitch of one to match; where the engine starts
    ("cmn", "m7", 50, "m3"),
    ("cmn", "Henrique", 70, "m3"),
    ("cmn", "grandma", 50, "f2"),
    ("en-us", "m7", 60, "m3"),
    ("en-us", "Alicia", 50, "f2"),
    ("en-us", "Andy", 50, "m3"),
]


@pytest.fixture(scope="module")
def engine() -> Matching:
    engine = build("speech", "matching", {"wpm": 165})
    engine.load()
    return engine


def joined(chunks: list[AudioChunk]) -> np.ndarray:
    assert chunks and all(chunk.sample_rate == RATE_HZ and len(chunk.pcm) % 2 == 0 for chunk in chunks)
    return np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2") / 32_768  # (samples,)


def said(engine: Matching, text: str, sample: Path | None = None, voice: str = "") -> np.ndarray:
    return joined(list(engine.synthesize(SpeechRequest(text=text, voice=voice), sample)))


@cache
def spoken_by(language: str, variant: str, pitch: int, text: str) -> np.ndarray:
    pcm = espeak_library.synthesize(text, f"{language}+{variant}", Prosody(wpm=165, pitch=pitch, pitch_range=60))
    return np.frombuffer(pcm, "<i2") / 32_768


def frames(samples: np.ndarray, length: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(samples, length)[:: RATE_HZ // 100]  # (frames, length)


def pitch_hz(samples: np.ndarray) -> float:
    """The median, by autocorrelation: not as the engine measures it."""
    cut = frames(samples, 1_024) * np.hanning(1_024)
    power = np.abs(np.fft.rfft(cut, 2_048)) ** 2
    correlation = np.fft.irfft(power)[:, : RATE_HZ // 60]  # (frames, lags)
    shortest = RATE_HZ // 500
    lags = shortest + np.argmax(correlation[:, shortest:], axis=1)
    strong = correlation[np.arange(len(cut)), lags] > 0.5 * np.maximum(correlation[:, 0], 1e-9)
    loud = correlation[:, 0] > correlation[:, 0].max() * 1e-3
    return float(np.median(RATE_HZ / lags[strong & loud]))


def spectrum_db(samples: np.ndarray) -> np.ndarray:
    """The mean of 40 mel bands in dB over what sounds, whatever the level."""
    hz = np.linspace(0, RATE_HZ / 2, 513)
    low, high = (2_595 * np.log10(1 + edge / 700) for edge in (60, 10_000))
    edges = 700 * (10 ** (np.linspace(low, high, 42) / 2_595) - 1)
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bands = np.maximum(0, np.minimum((hz - below) / (centre - below), (above - hz) / (above - centre)))
    power = np.abs(np.fft.rfft(frames(samples, 1_024) * np.hanning(1_024))) ** 2
    loud = power.sum(axis=1) > power.sum(axis=1).max() * 1e-4
    mean = np.mean(10 * np.log10(power[loud] @ bands.T + 1e-9), axis=0)
    return mean - mean.mean()


def distance_db(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((spectrum_db(one) - spectrum_db(other)) ** 2)))


def loudness(samples: np.ndarray) -> np.ndarray:
    """Its course in dB, every 10 ms; pauses are all alike."""
    return 10 * np.log10(np.mean(frames(samples, RATE_HZ // 25) ** 2, axis=1) + 1e-5)


def kept(samples: np.ndarray, path: Path, rate_hz: int = RATE_HZ) -> Path:
    soundfile.write(path, samples, rate_hz)
    return path


def encoded(samples: np.ndarray, path: Path, codec: str, rate_hz: int, layout: str = "mono") -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        context = stream.codec_context
        context.open()
        frame = av.AudioFrame.from_ndarray(np.float32(samples)[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        fit = av.AudioResampler(context.format, layout, rate_hz, context.frame_size or 1_024)
        for piece in [*fit.resample(frame), *fit.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("speaker", SPEAKERS, ids=str)
def test_it_comes_near_to_a_voice_and_keeps_the_words(
    engine: Matching, speaker: tuple[str, str, int, str], tmp_path: Path
) -> None:
    language, variant, pitch, start = speaker
    sample = spoken_by(language, variant, pitch, LEARNT[language])
    held_out = spoken_by(language, variant, pitch, SPOKEN[language])
    unmatched = said(engine, SPOKEN[language])
    matched = said(engine, SPOKEN[language], kept(sample, tmp_path / "sample.wav"))
    before, after = distance_db(unmatched, held_out), distance_db(matched, held_out)
    assert before > 8 and after < 4.5
    assert pitch_hz(matched) == pytest.approx(pitch_hz(sample), rel=0.08)

    begun = said(engine, SPOKEN[language], voice=f"{language}+{start}")
    assert len(matched) == pytest.approx(len(begun), rel=0.01)
    assert len(matched) == pytest.approx(len(unmatched), rel=0.1)
    shortest = min(len(matched), len(begun))
    assert np.corrcoef(loudness(matched[:shortest]), loudness(begun[:shortest]))[0, 1] > 0.8
    assert np.abs(matched).max() < 0.95
    sounding = matched[np.abs(matched) > 200 / 32_768]
    assert -22 < 10 * np.log10(np.mean(sounding**2)) < -18


@pytest.mark.parametrize(
    ("name", "language"),
    [("basic/basic_ref_en.wav", "en-us"), ("basic/basic_ref_zh.wav", "cmn"), ("multi/town.flac", "cmn")],
)
def test_it_comes_near_to_people(engine: Matching, name: str, language: str, tmp_path: Path) -> None:
    found = importlib.util.find_spec("f5_tts")  # its wheel holds recordings
    assert found and found.submodule_search_locations
    recorded, rate_hz = soundfile.read(Path(found.submodule_search_locations[0]) / "infer" / "examples" / name)
    half = max(len(recorded) // 2, 3 * rate_hz)  # what a sample must have
    sample = kept(recorded[:half], tmp_path / "sample.wav", rate_hz)
    held_out = soxr.resample(recorded[half:], rate_hz, RATE_HZ)
    unmatched, matched = said(engine, SPOKEN[language]), said(engine, SPOKEN[language], sample)
    before, after = distance_db(unmatched, held_out), distance_db(matched, held_out)
    assert after < 5.5 and after < 0.8 * before
    wanted, reached = (profile_of(each).pitch for each in (Recording.at(sample).heard()[0], matched))
    assert abs(reached - wanted) < np.log2(1.08)  # WORLD's: autocorrelation goes astray where people creak


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "layout"),
    [
        ("sample.wav", "pcm_s16le", 48_000, "stereo"),
        ("sample.mp3", "libmp3lame", 44_100, "mono"),
        ("sample.webm", "libopus", 48_000, "stereo"),
        ("sample.m4a", "aac", 44_100, "mono"),
        ("sample.wav", "pcm_s16le", 8_000, "mono"),
    ],
)
def test_a_sample_may_have_any_format(
    engine: Matching, name: str, codec: str, rate_hz: int, layout: str, tmp_path: Path
) -> None:
    sample = spoken_by("en-us", "m7", 60, LEARNT["en-us"])
    path = encoded(sample, tmp_path / name, codec, rate_hz, layout)
    matched = said(engine, SPOKEN["en-us"], path.rename(tmp_path / "upload"))
    assert pitch_hz(matched) == pytest.approx(pitch_hz(sample), rel=0.08)
    held_out = spoken_by("en-us", "m7", 60, SPOKEN["en-us"])
    assert distance_db(matched, held_out) < 0.8 * distance_db(said(engine, SPOKEN["en-us"]), held_out)


def test_loudness_of_the_sample_is_no_matter(engine: Matching, tmp_path: Path) -> None:
    sample = spoken_by("cmn", "m7", 50, LEARNT["cmn"])
    loud = said(engine, "你好。", kept(sample, tmp_path / "loud.wav"))
    quiet = said(engine, "你好。", encoded(sample / 30, tmp_path / "quiet.wav", "pcm_f32le", RATE_HZ))
    assert np.abs(loud).max() == pytest.approx(np.abs(quiet).max(), rel=0.05)


def test_the_same_text_and_sample_give_the_same_audio(engine: Matching, tmp_path: Path) -> None:
    one = kept(spoken_by("cmn", "m7", 50, LEARNT["cmn"]), tmp_path / "one.wav")
    other = kept(spoken_by("cmn", "grandma", 50, LEARNT["cmn"]), tmp_path / "other.wav")
    first, afresh = said(engine, "你好，再见。", one), Matching(wpm=165)
    afresh.load()
    assert np.array_equal(said(afresh, "你好，再见。", one), first)
    assert not np.array_equal(said(engine, "你好，再见。", other), first)
    with ThreadPoolExecutor(4) as pool:
        assert all(
            np.array_equal(each, first) for each in pool.map(lambda _: said(engine, "你好，再见。", one), range(4))
        )


def test_a_sample_is_measured_once(engine: Matching, tmp_path: Path) -> None:
    sample = kept(spoken_by("cmn", "f4", 50, LEARNT["cmn"]), tmp_path / "one.wav")
    before = engine.profile.cache_info()
    said(engine, "好。", sample)
    said(engine, "好。", sample.rename(tmp_path / "another name.wav"))
    after = engine.profile.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1) and after.maxsize


def test_it_stops_within_a_phrase(engine: Matching, tmp_path: Path) -> None:
    sample = kept(spoken_by("cmn", "m7", 50, LEARNT["cmn"]), tmp_path / "sample.wav")
    stream = engine.synthesize(SpeechRequest(text="山上住着一只小兔子。" * 400), sample)
    assert joined([next(iter(stream))]).any()
    stream.close()
    assert list(stream) == []


def test_without_a_sample_it_speaks_as_espeak(engine: Matching) -> None:
    espeak = build("speech", "espeak", {"wpm": 165})
    espeak.load()
    for voice in ("", "en-us+m3"):
        request = SpeechRequest(text="山上住着一只小兔子。", voice=voice)
        assert list(engine.synthesize(request)) == list(espeak.synthesize(request))


def test_espeak_takes_no_sample(tmp_path: Path) -> None:
    espeak = build("speech", "espeak", {})
    espeak.load()
    with pytest.raises(InvalidInput) as refused:
        next(espeak.synthesize(SpeechRequest(text="你好"), tmp_path))
    assert refused.value.param == "sample"


def test_nothing_to_say_is_a_short_silence(engine: Matching, tmp_path: Path) -> None:
    sample = kept(spoken_by("cmn", "m7", 50, LEARNT["cmn"]), tmp_path / "sample.wav")
    silence = said(engine, "……", sample)
    assert not silence.any() and 0.1 < len(silence) / RATE_HZ < 0.5


def test_unknown_voices_are_not_found(engine: Matching, tmp_path: Path) -> None:
    sample = kept(spoken_by("cmn", "m7", 50, LEARNT["cmn"]), tmp_path / "sample.wav")
    with pytest.raises(NotFound):
        said(engine, "hello", sample, "nobody")


def times(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * RATE_HZ))


def voice(seconds: float) -> np.ndarray:
    return np.resize(spoken_by("cmn", "m7", 50, LEARNT["cmn"]), int(seconds * RATE_HZ))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: np.zeros(5 * RATE_HZ), "人声"),
        (lambda: noise(5), "人声"),
        (lambda: np.cumsum(noise(5)) / 1_000, "人声"),
        (lambda: 0.3 * np.sin(2 * np.pi * 440 * times(5)), "人声"),
        (lambda: 0.3 * np.sign(np.sin(2 * np.pi * 100 * times(5))), "人声"),
        (lambda: np.where(np.arange(5 * RATE_HZ) == 50_000, 0.9, 0.0), "人声"),
        (lambda: voice(0.2), "太短"),
        (lambda: voice(2.8), "太短"),
        (lambda: np.clip(voice(5) * 30, -1, 1), "削波"),
        (lambda: np.clip(noise(5) * 30, -1, 1), "人声"),
        (lambda: voice(5) / 1_000, "音量太低"),
        (lambda: np.concatenate([voice(2.5), np.zeros(9 * RATE_HZ)]), "人声太少"),
        (lambda: np.zeros(0), "太短"),
        (lambda: voice(31), "太长"),
        (lambda: np.full(3 * RATE_HZ, np.nan), "解码"),
        (lambda: voice(3) * np.inf, "解码"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the test's own 0 x infinity
def test_recordings_without_a_voice_are_refused(
    engine: Matching, make: Callable[[], np.ndarray], word: str, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "sample.wav", make(), RATE_HZ, subtype="FLOAT")
    with pytest.raises(InvalidInput, match=word) as refused:
        said(engine, "你好", tmp_path / "sample.wav")
    assert refused.value.param == "sample"


@pytest.mark.parametrize(
    "content",
    [b"", b"<html></html>", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"PK\x03\x04" + bytes(100), film("mp4", "libx264")],
    ids=["nothing", "html", "half a header", "zip", "film without sound"],
)
def test_what_is_no_audio_is_refused(engine: Matching, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "sample.wav").write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        said(engine, "你好", tmp_path / "sample.wav")
    assert refused.value.param == "sample"


def test_a_sample_makes_nothing_else_be_read(engine: Matching, tmp_path: Path) -> None:
    """A playlist names other files of the machine."""
    secret = kept(voice(5), tmp_path / "secret.wav")
    sample = tmp_path / "sample.wav"
    sample.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret.as_uri()}\n#EXT-X-ENDLIST\n")
    with pytest.raises(InvalidInput):
        said(engine, "你好", sample)
    sample.write_text(f"ffconcat version 1.0\nfile '{secret.name}'\n")
    with pytest.raises(InvalidInput):
        said(engine, "你好", sample)


@pytest.mark.parametrize("seconds", [0.1, 7.9, 8.1, 30])
def test_blocks_lose_nothing_and_are_cut_where_it_is_quiet(seconds: float) -> None:
    samples = voice(seconds)
    cut = list(blocks(samples))
    assert np.array_equal(np.concatenate(cut), samples)
    assert all(len(block) <= BLOCK for block in cut) and all(len(block) >= BLOCK // 4 for block in cut[1:])
    assert all(np.abs(block[-50:]).max() < 0.05 for block in cut[:-1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_a_replica_reads_the_sample_from_the_store(tmp_path: Path) -> None:
    from deployments.speech.deployment import SpeechDeployment

    settings = Settings(var=tmp_path)
    Database(settings.tables_url).migrate()
    files = Artifacts(settings)
    key = "uploads/voice.wav"
    files.upload(key, kept(spoken_by("en-us", "m7", 60, LEARNT["en-us"]), tmp_path / "voice.wav"), "someone")
    replica = SpeechDeployment.func_or_class(models()["matching"], files)
    async with aclosing(replica.synthesize(SpeechRequest(text=SPOKEN["en-us"], sample=key))) as stream:
        matched = joined([chunk async for chunk in stream])
    assert pitch_hz(matched) == pytest.approx(pitch_hz(spoken_by("en-us", "m7", 60, LEARNT["en-us"])), rel=0.08)
    with pytest.raises(NotFound):
        await anext(replica.synthesize(SpeechRequest(text="hello", sample="uploads/none.wav")))
