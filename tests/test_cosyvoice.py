"""CosyVoice by its own HTTP server: what it is asked, and how its failures are told."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from contracts.errors import Deadline, EngineFailed, InvalidInput, ServiceError, Unavailable
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript
from deployments.registry import build
from deployments.speech.cosyvoice import CosyVoice
from tests.cosyvoice_service import RATE_HZ, SECONDS_A_CHARACTER, Service, serving
from tests.media import sound, speech

SAID = Transcript(text="A little fox went to the market.")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.wav"
    path.write_bytes(speech())
    return path


def engine_at(url: str, **options: Any) -> CosyVoice:
    engine = build("speech", "cosyvoice", {"url": url} | options)
    engine.load()
    return engine


def said(engine: CosyVoice, sample: Path | None, **asked: Any) -> list[AudioChunk]:
    request = SpeechRequest.model_validate({"text": "很久以前。有一只兔子。", "transcript": SAID} | asked)
    try:
        return list(engine.synthesize(request, sample))
    finally:
        engine.close()


def seconds(chunks: list[AudioChunk]) -> float:
    return sum(len(chunk.pcm) / 2 / chunk.sample_rate for chunk in chunks)


def test_it_is_asked_sentence_by_sentence_in_the_voice_of_the_sample(url: str, sample: Path) -> None:
    Service.asked.clear()
    stream = engine_at(url).synthesize(SpeechRequest(text="有3只兔子。跑了5km。", transcript=SAID), sample)
    first = next(stream)
    assert first.sample_rate == RATE_HZ and len(Service.asked) == 1  # the second is not asked for yet
    rest = list(stream)
    assert len(rest) == 1 and [asked["tts_text"] for asked in Service.asked] == ["有三只兔子。", "跑了五公里。"]
    for asked in Service.asked:
        assert asked["path"] == "/inference_zero_shot" and asked["prompt_text"] == SAID.text
        samples, rate_hz = soundfile.read(io.BytesIO(asked["prompt_wav"]))
        assert rate_hz == 16_000 and len(samples) / rate_hz == pytest.approx(4.4, abs=0.2) and samples.ndim == 1


def test_closing_it_asks_no_more(url: str, sample: Path) -> None:
    Service.asked.clear()
    stream = engine_at(url).synthesize(SpeechRequest(text="兔子。" * 50, transcript=SAID), sample)
    next(stream)
    stream.close()
    assert list(stream) == [] and len(Service.asked) == 1


def test_speed_and_pitch_are_ours(url: str, sample: Path) -> None:
    plain = said(engine_at(url), sample)
    assert seconds(plain) == pytest.approx(11 * SECONDS_A_CHARACTER + 0.5, abs=0.2)
    for speed in (0.5, 2.0):
        assert seconds(said(engine_at(url), sample, speed=speed)) == pytest.approx(
            11 * SECONDS_A_CHARACTER / speed + 0.5, abs=0.3
        )
    high = said(engine_at(url), sample, pitch=6.0)
    assert {chunk.sample_rate for chunk in high} == {22_050} and seconds(high) == pytest.approx(seconds(plain), abs=0.2)


def test_it_is_as_loud_as_all_that_is_said(url: str, sample: Path) -> None:
    pcm = np.frombuffer(b"".join(chunk.pcm for chunk in said(engine_at(url), sample)), "<i2").astype(float)
    sounding = pcm[np.abs(pcm) > 200]
    assert -22 < 20 * np.log10(np.sqrt(np.mean(sounding**2)) / 32_768) < -18 and np.abs(pcm).max() < 32_000


def test_a_model_with_voices_of_its_own(url: str) -> None:
    Service.asked.clear()
    assert seconds(said(engine_at(url, speaker="中文女", rate_hz=22_050), None)) > 1
    assert {(asked["path"], asked["spk_id"]) for asked in Service.asked} == {("/inference_sft", "中文女")}
    with pytest.raises(InvalidInput) as refused:
        said(engine_at(url), None)
    assert refused.value.param == "voice"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/status-500", Unavailable),
        ("/status-422", EngineFailed),
        ("/empty", EngineFailed),
        ("/breaks", EngineFailed),
        ("/silent", Deadline),
    ],
)
def test_its_failures_are_told_without_its_words(url: str, sample: Path, path: str, kind: type[ServiceError]) -> None:
    with pytest.raises(kind) as failed:
        said(engine_at(url + path, timeout_s=0.5), sample)
    assert "secret" not in failed.value.message


def test_a_server_that_is_away(sample: Path) -> None:
    with pytest.raises(Unavailable, match="连接不上"):
        said(engine_at("http://127.0.0.1:9"), sample)
    with pytest.raises(Unavailable, match="url"):
        said(engine_at(""), sample)


@pytest.mark.parametrize(
    ("asked", "param"),
    [({"text": "Привет, мир"}, "text"), ({"language": "fr"}, "language"), ({"transcript": None}, "sample")],
)
def test_what_it_does_not_speak_is_refused_before_it_is_asked(
    url: str, sample: Path, asked: dict[str, Any], param: str
) -> None:
    Service.asked.clear()
    with pytest.raises(InvalidInput) as refused:
        said(engine_at(url), sample, **asked)
    assert refused.value.param == param and Service.asked == []


def test_a_sample_without_a_voice_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "tone.wav").write_bytes(sound("wav", "pcm_s16le", 16_000, 5))
    with pytest.raises(InvalidInput, match="人声"):
        said(engine_at(url), tmp_path / "tone.wav")
