"""Recordings to speak in the voice of, as three families take them: what is measured, kept, forgotten and refused."""

import io
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soundfile

from contracts.catalog import models
from tests.conftest import Cluster, sign_up
from tests.media import alaw, film, hours, picture, sound, speech
from tests.waiting import eventually
from tests.wording import in_chinese

GENERATE, SPEECH = "/api/tts/generate-cloned", "/v1/audio/speech"


def noisy(gain: float, seconds: float = 5.0) -> bytes:
    noise = np.clip(np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000)) * gain, -1, 1)
    file = io.BytesIO()
    soundfile.write(file, noise, 16_000, format="WAV")
    return file.getvalue()


def louder(gain: float) -> bytes:
    samples, rate_hz = soundfile.read(io.BytesIO(speech()))
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples * gain, -1, 1), rate_hz, format="WAV")
    return file.getvalue()


BAD = {
    "a fifth of a second": (sound("wav", "pcm_s16le", 16_000, 0.2), "过短"),
    "three hours": (hours(3), "过长"),
    "silence": (noisy(0), "人声"),
    "noise": (noisy(1), "人声"),
    "clipped noise": (noisy(30), "人声"),
    "a tone": (sound("wav", "pcm_s16le", 16_000, 5), "人声"),
    "clipped speech": (louder(30), "削波"),
    "whispered from afar": (louder(0.002), "音量太低"),
    "a film": (film("mp4", "libx264"), "应为音频"),
    "a picture": (picture(), "音频"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_refused_with_the_reason(client: httpx.Client, name: str) -> None:
    content, told = BAD[name]
    answer = client.post(GENERATE, data={"text": "你好"}, files={"voiceSample": ("a.wav", content)})
    assert answer.status_code == 200 and answer.json()["code"] == 0, answer.text
    assert told in answer.json()["msg"] and in_chinese(answer.json()["msg"])


@pytest.mark.parametrize("name", ["a fifth of a second", "silence", "clipped speech", "three hours"])
def test_the_digital_human_keeps_no_such_voice(user: httpx.Client, name: str) -> None:
    content, told = BAD[name]
    path = user.post("/api/upload-reference-audio", files={"audio": ("a.wav", content)}).json()["relative_path"]
    body = user.post("/audio_clone", data={"original_audio_path": path, "audio_id": "bad"}).json()
    assert body["status"] == "error" and told in body["message"]
    assert user.get("/api/cloned-audios").json()["audios"] == []


def test_a_telephones_recording_will_do(client: httpx.Client) -> None:
    """Stereo, 8 kHz, A-law."""
    answer = client.post(GENERATE, data={"text": "你好"}, files={"voiceSample": ("a.wav", alaw(speech()))})
    assert answer.json()["code"] == 1, answer.text


@pytest.mark.parametrize("text", ["😀🎉", "……", "长" * 50_000])
def test_texts_that_nobody_can_say(client: httpx.Client, text: str) -> None:
    answer = client.post(GENERATE, data={"text": text}, files={"voiceSample": ("a.wav", speech())})
    assert answer.json()["code"] == 0 and "text" in answer.json()["msg"]


def test_a_script_that_no_voice_reads(client: httpx.Client) -> None:
    answer = client.post(GENERATE, data={"text": "ⴰⵣⵓⵍ ⴰⵎⴰⴹⴰⵍ"}, files={"voiceSample": ("a.wav", speech())})
    assert answer.json()["code"] == 0 and "Tifinagh" in answer.json()["msg"]


@pytest.fixture
def listener(studio: Cluster) -> Iterator[httpx.Client]:
    """A user where F5-TTS speaks and a Whisper hears."""
    with httpx.Client(base_url=studio.url, timeout=120) as client:
        sign_up(studio, client)
        yield client


def measured(studio: Cluster) -> set[str]:
    return {path.name for path in (studio.var / "artifacts/.measured").rglob("*") if path.is_file()}


def test_the_list_tells_what_is_ready_and_its_licence(listener: httpx.Client) -> None:
    listed = {each["id"]: each for each in listener.get("/api/models/tts").json()["data"]["models"]}
    assert listed["f5tts"] == {"id": "f5tts", "name": "F5TTS (快速)", "ready": True, "licence": "CC-BY-NC-4.0"}
    assert listed["cosyvoice"]["ready"] is False and listed["cosyvoice"]["licence"] == models()["cosyvoice"].licence


def test_f5_speaks_in_the_voice_of_a_recording_and_forgets_it(studio: Cluster, listener: httpx.Client) -> None:
    """What the recording says is heard by the cluster's own model."""
    before = measured(studio)
    form = {"text": "欢迎来到我的直播间，今天有3款耳机。", "modelId": "f5tts"}
    body = listener.post(GENERATE, data=form, files={"voiceSample": ("a.wav", speech())}).json()
    assert body["code"] == 1, body
    with av.open(io.BytesIO(listener.get(httpx.URL(body["data"]["audioUrl"]).path).content)) as made:
        assert made.streams.audio[0].rate == 24_000
    eventually(lambda: measured(studio) == before)


def test_what_is_heard_and_measured_of_a_kept_voice_is_kept_with_it(studio: Cluster, listener: httpx.Client) -> None:
    recording = speech("Nobody has spoken with this voice before, so nothing of it is remembered by anyone.")
    listener.post("/save_audio", files={"audio": ("input.wav", recording)})
    kept = {"original_audio_path": "static/audios/input.wav", "audio_id": "fox"}
    assert listener.post("/audio_clone", data=kept).json()["status"] == "success"
    asked: dict[str, Any] = {
        "model": "f5tts",
        "voice": "fox",
        "input": "你好。今天天气很好。",
        "response_format": "wav",
    }
    first, again = (listener.post(SPEECH, json=asked) for _ in range(2))
    assert first.status_code == again.status_code == 200, first.text
    assert soundfile.info(io.BytesIO(first.content)).samplerate == 24_000
    assert first.content[-1_000:] == again.content[-1_000:]  # the same, but for its label
    assert {"matching.npz", "f5tts.npz", "transcript.json"} <= measured(studio)


def test_f5_has_voices_of_its_own(listener: httpx.Client) -> None:
    answer = listener.post(SPEECH, json={"model": "f5tts", "input": "你好，世界。", "speed": 2})
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/mpeg"
    refused = listener.post(SPEECH, json={"model": "f5tts", "input": "こんにちは"})
    assert refused.status_code == 400 and "Hiragana" in refused.json()["error"]["message"]
