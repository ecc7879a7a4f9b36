"""F5-TTS over a tiny model with random weights in the real files: what it says is noise, how it says it counts."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from contracts.errors import InvalidInput, NotFound
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Segment, Transcript, Word
from deployments.registry import build
from deployments.speech.chunks import LIMIT_BYTES
from deployments.speech.excerpt import excerpt
from deployments.speech.f5tts import F5tts
from tests.checkpoints import f5tts as checkpoint
from tests.media import sound, speech

SAID = Transcript(text="A little fox went to the market, and everybody said hello to the fox.")
ZH = "很久以前，有一只兔子。它住在山上。"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("f5tts")
    checkpoint.build(place / "model")
    checkpoint.build_vocoder(place / "vocoder")
    return place


def made(folder: Path, **options: Any) -> F5tts:
    chosen = {"weights": str(folder / "model"), "vocoder": str(folder / "vocoder"), "device": "cpu", "steps": 2}
    engine: F5tts = build("speech", "f5tts", chosen | options)
    engine.load()
    return engine


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[F5tts]:
    engine = made(folder)
    yield engine
    engine.close()


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.wav"
    path.write_bytes(speech())
    return path


def chunks(engine: F5tts, sample: Path | None, **asked: Any) -> list[AudioChunk]:
    request = SpeechRequest.model_validate({"text": ZH, "transcript": SAID} | asked)
    return list(engine.synthesize(request, sample))


def samples(spoken: list[AudioChunk]) -> np.ndarray:
    assert spoken and all(0 < len(chunk.pcm) <= LIMIT_BYTES and len(chunk.pcm) % 2 == 0 for chunk in spoken)
    return np.frombuffer(b"".join(chunk.pcm for chunk in spoken), "<i2").astype(float)


def test_it_speaks_sentence_by_sentence(engine: F5tts, sample: Path) -> None:
    spoken = chunks(engine, sample)
    assert len(spoken) == 2 and {chunk.sample_rate for chunk in spoken} == {24_000}
    sounding = samples(spoken)
    sounding = sounding[np.abs(sounding) > 200]
    assert -22 < 20 * np.log10(np.sqrt(np.mean(sounding**2)) / 32_768) < -18


def test_it_stops_within_a_sentence(engine: F5tts, sample: Path) -> None:
    steps = []
    assert engine.model
    hook = engine.model.model.transformer.register_forward_hook(lambda *_: steps.append(None))
    stream = engine.synthesize(SpeechRequest(text=ZH * 50, transcript=SAID), sample)
    next(iter(stream))
    taken = len(steps)
    stream.close()  # type: ignore[attr-defined]
    hook.remove()
    assert list(stream) == [] and 0 < taken == len(steps)


def test_length_follows_the_text_the_voice_and_the_speed(engine: F5tts, sample: Path) -> None:
    """As the recording takes 4.4 s for 69 letters, so does the text."""
    text = "An old man lived on a hill, and every morning he walked down to the sea."
    plain = len(samples(chunks(engine, sample, text=text))) / 24_000
    assert plain == pytest.approx(len(text) * 4.4 / 69, rel=0.25)
    for speed in (0.5, 2.0):
        assert len(samples(chunks(engine, sample, text=text, speed=speed))) / 24_000 == pytest.approx(
            plain / speed, rel=0.3
        )


def test_the_same_request_gives_the_same_sound_whoever_else_asks(engine: F5tts, sample: Path, tmp_path: Path) -> None:
    first = samples(chunks(engine, sample))
    other = tmp_path / "other.wav"
    other.write_bytes(speech("Once upon a time, a rabbit lived on a hill and sang every morning."))
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda place: samples(chunks(engine, place)), [sample, other, sample]))
    assert np.array_equal(answers[0], first) and np.array_equal(answers[2], first)
    assert not np.array_equal(answers[1][: len(first)], first)
    assert not np.array_equal(samples(chunks(engine, sample, text="你好吗？他们都很好。"))[: len(first)], first)


def test_a_pitch_is_moved_afterwards(engine: F5tts, sample: Path) -> None:
    moved = chunks(engine, sample, pitch=5.0)
    assert {chunk.sample_rate for chunk in moved} == {22_050}
    plain = len(samples(chunks(engine, sample))) / 24_000
    assert len(samples(moved)) / 22_050 == pytest.approx(plain, rel=0.1)


def test_its_own_voices(engine: F5tts) -> None:
    chinese = samples(chunks(engine, None, transcript=None))
    assert np.array_equal(samples(chunks(engine, None, voice="zh")), chinese)
    assert not np.array_equal(samples(chunks(engine, None, voice="en"))[:1000], chinese[:1000])
    with pytest.raises(NotFound):
        chunks(engine, None, voice="nobody")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"text": "Привет, мир"}, "text"),
        ({"text": "こんにちは"}, "text"),
        ({"language": "fr"}, "language"),
        ({"transcript": None}, "sample"),
        ({"transcript": Transcript(text=" ")}, "sample"),
    ],
)
def test_what_it_cannot_say_is_refused(engine: F5tts, sample: Path, asked: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        chunks(engine, sample, **asked)
    assert refused.value.param == param


@pytest.mark.parametrize("content", [sound("wav", "pcm_s16le", 16_000, 0.2), sound("wav", "pcm_s16le", 16_000, 5)])
def test_a_recording_that_is_no_voice_is_refused(engine: F5tts, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        chunks(engine, tmp_path / "bad.wav")
    assert refused.value.param == "sample"


@pytest.mark.parametrize("text", ["😀🎉", "……", " "])
def test_nothing_to_say_is_a_short_silence(engine: F5tts, sample: Path, text: str) -> None:
    silence = samples(chunks(engine, sample, text=text))
    assert not silence.any() and 0.1 < len(silence) / 24_000 < 0.5


def test_what_was_measured_lies_beside_the_recording(folder: Path, sample: Path) -> None:
    """And is taken from there by the next replica, but never for another recording."""
    first = samples(chunks(made(folder), sample))
    beside = sample.with_name("sample.wav.npz")
    with np.load(beside) as kept:
        other = {name: kept[name] for name in kept.files}
    other["samples"] = np.random.default_rng(0).integers(-30_000, 30_000, len(other["samples"]), dtype=np.int16)
    np.savez(beside, **other)
    assert not np.array_equal(samples(chunks(made(folder), sample)), first)
    other["sha256"] = np.array("another")
    np.savez(beside, **other)
    assert np.array_equal(samples(chunks(made(folder), sample)), first)
    beside.write_bytes(b"damaged")
    assert np.array_equal(samples(chunks(made(folder), sample)), first)


def test_the_inner_folder_will_do(folder: Path, sample: Path) -> None:
    inner = made(folder, weights=str(folder / "model" / "F5TTS_v1_Base"))
    assert samples(chunks(inner, sample)).any()


def test_folders_that_hold_none(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"vocab\.txt"):
        made(folder, weights=str(folder / "vocoder"))
    with pytest.raises(InvalidInput, match=r"config\.yaml"):
        made(folder, vocoder=str(folder / "model"))
    place = tmp_path / "short"
    checkpoint.build(place)
    (place / "F5TTS_v1_Base" / "vocab.txt").write_text(" \na\nb\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no F5-TTS"):
        made(folder, weights=str(place))


def test_a_vocoder_names_no_classes_of_others(folder: Path, tmp_path: Path) -> None:
    checkpoint.build_vocoder(tmp_path / "vocoder")
    config = tmp_path / "vocoder" / "config.yaml"
    hostile = yaml.safe_load(config.read_text())
    hostile["head"] = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", str(tmp_path / "made")]}}
    config.write_text(yaml.safe_dump(hostile))
    with pytest.raises(InvalidInput, match="not Vocos"):
        made(folder, vocoder=str(tmp_path / "vocoder"))
    assert not (tmp_path / "made").exists()


def test_the_spectrogram_is_that_of_its_definition() -> None:
    """Amplitudes in triangles on the HTK mel scale, computed here by hand."""
    import torch

    from deployments.speech.f5tts_library import MelSpectrogram

    wave, _ = soundfile.read(sound_file())
    wave = wave[:8_192].astype(np.float32)
    found = MelSpectrogram(24_000, 1_024, 1_024, 256, 100, power=1)(torch.from_numpy(wave)[None])[0].numpy()
    padded = np.pad(wave, 512, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1_024) / 1_024)
    cut = np.lib.stride_tricks.sliding_window_view(padded, 1_024)[::256] * window
    bins, edges = np.linspace(0, 12_000, 513), np.linspace(0, 2_595 * np.log10(1 + 12_000 / 700), 102)
    hz = 700 * (10 ** (edges / 2_595) - 1)
    rising = (bins - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    falling = (hz[2:, None] - bins) / (hz[2:] - hz[1:-1])[:, None]
    wanted = np.maximum(0, np.minimum(rising, falling)) @ np.abs(np.fft.rfft(cut)).T
    assert found.shape == wanted.shape == (100, 33)
    assert np.abs(found - wanted).max() < 1e-3 * wanted.max()


def sound_file() -> Any:
    import io

    return io.BytesIO(speech())


def phrase(text: str, start_s: float, end_s: float, *words: Word) -> Segment:
    return Segment(text=text, start_s=start_s, end_s=end_s, words=list(words))


RATE_HZ = 1_000
LOUD = np.ones(20 * RATE_HZ)


def test_a_long_recording_is_cut_between_phrases() -> None:
    told = Transcript(text="一二三", segments=[phrase("一", 0, 5), phrase("二。", 5, 11), phrase("三", 11, 20)])
    kept = excerpt(LOUD, RATE_HZ, told)
    assert kept.text == "一二。" and len(kept.samples) == pytest.approx(11 * RATE_HZ, abs=60)
    words = [Word(text="one", start_s=0, end_s=6), Word(text="two", start_s=6, end_s=10)]
    told = Transcript(text="one two three", segments=[phrase("one two three", 0, 20, *words)])
    kept = excerpt(LOUD, RATE_HZ, told)
    assert kept.text == "one two." and len(kept.samples) == pytest.approx(10 * RATE_HZ, abs=60)
    told = Transcript(text="一", segments=[phrase("一", 0, 15)])
    assert len(excerpt(LOUD, RATE_HZ, told).samples) == pytest.approx(15 * RATE_HZ, abs=60)


def test_silence_around_it_is_cut_off() -> None:
    silence = np.zeros(2 * RATE_HZ)
    kept = excerpt(np.concatenate([silence, LOUD[: 4 * RATE_HZ], silence]), RATE_HZ, Transcript(text="好！"))
    assert kept.text == "好！" and len(kept.samples) == pytest.approx(4 * RATE_HZ, abs=60)


def test_a_wrong_transcript_makes_no_endless_speech(engine: F5tts, sample: Path) -> None:
    spoken = chunks(engine, sample, text="山上住着一只小兔子。", transcript=Transcript(text="你好"))
    assert 0.3 < len(samples(spoken)) / 24_000 < 8
    with pytest.raises(InvalidInput, match="长得多"):
        chunks(engine, sample, transcript=Transcript(text="你好" * 400))


def test_two_replicas_in_two_threads_load_one_library(folder: Path) -> None:
    loaded: list[F5tts] = []
    threads = [threading.Thread(target=lambda: loaded.append(made(folder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(loaded) == 2


def test_the_real_vocabulary_is_the_one_of_the_checkpoint(folder: Path) -> None:
    lines = (folder / "model" / "F5TTS_v1_Base" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == " " and len(lines) == 2_545 and json.dumps("ni3")[1:-1] in lines
