"""OpenAI's speech as its official client uses it: files of every format, sent while they are made."""

import io
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest
from starlette.testclient import TestClient

from api.app import build
from api.models import Models
from api.state import Engines, make
from contracts.catalog import models
from contracts.errors import Unavailable
from contracts.settings import Settings
from contracts.speech import AudioChunk, SpeechRequest
from graphs.encoding import ENCODINGS, encoded
from store import labels
from store.database import Database
from tests.conftest import Cluster
from tests.listening import address_of, listening
from tests.media import speech

SPEECH = "/v1/audio/speech"
BODY = {"model": "espeak", "input": "你好，世界！", "voice": "default-female"}
LABEL = labels.Label.generated("troupe", "a" * 32, "").as_json()


@pytest.fixture
def ai(cluster: Cluster) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{cluster.url}/v1", api_key="none", max_retries=0, timeout=60) as client:
        yield client


def decoded(content: bytes, rate_hz: int = 0) -> tuple[np.ndarray, int]:
    """(samples,) and the rate; `rate_hz`: of bare samples."""
    if rate_hz:
        return np.frombuffer(content, "<i2") / 32_768, rate_hz
    with av.open(io.BytesIO(content)) as file:
        rate = file.streams.audio[0].rate
        mono = av.AudioResampler(format="flt", layout="mono", rate=rate)
        pieces = [piece for frame in file.decode(audio=0) for piece in mono.resample(frame)]
        return np.concatenate([piece.to_ndarray()[0] for piece in pieces]), rate


def seconds(content: bytes) -> float:
    samples, rate_hz = decoded(content)
    return len(samples) / rate_hz


@pytest.mark.parametrize("form", ENCODINGS)
def test_every_format_is_what_it_says_and_labelled(ai: openai.OpenAI, tmp_path: Path, form: Any) -> None:
    made = ai.audio.speech.create(
        model="espeak", voice="default-female", input="很久以前，山上住着一只兔子。", response_format=form
    )
    assert made.response.headers["content-type"] == ENCODINGS[form].media_type
    assert made.response.headers["x-aigc-label"] == "1" and "x-troupe-model" not in made.response.headers
    samples, rate_hz = decoded(made.content, 24_000 if form == "pcm" else 0)
    assert 0.8 < len(samples) / rate_hz < 4 and np.abs(samples).max() > 0.05
    if form != "pcm":
        assert made.content.count(b"ContentProducer") == 1 and made.content.index(b"AIGC") < 1_000
    if form in ("mp3", "opus", "flac", "wav"):
        (tmp_path / "file").write_bytes(made.content)
        label = labels.read(tmp_path / "file", ENCODINGS[form].media_type)
        assert label and (label.Label, label.ContentProducer, len(label.ProduceID)) == ("1", "troupe", 32)


def test_it_streams_to_a_file(ai: openai.OpenAI, tmp_path: Path) -> None:
    with ai.audio.speech.with_streaming_response.create(model="espeak", voice="", input="你好。" * 50) as answer:
        pieces = list(answer.iter_bytes())
    assert len(pieces) > 5
    assert seconds(b"".join(pieces)) > 20


def test_speed_and_voices_are_heard(ai: openai.OpenAI) -> None:
    def length(**asked: Any) -> float:
        given = {"model": "", "voice": "default-male", "input": "Once upon a time a rabbit lived on a hill."} | asked
        return seconds(ai.audio.speech.create(**given).content)

    plain = length()
    assert length(speed=0.5) > 1.6 * plain and length(speed=2.0) < 0.75 * plain
    assert length(voice="") == pytest.approx(plain, rel=0.3)


def test_a_kept_voice_is_spoken_with_by_a_model_that_can(user: httpx.Client) -> None:
    user.post("/save_audio", files={"audio": ("input.wav", speech())})
    kept = {"original_audio_path": "static/audios/input.wav", "audio_id": "fox"}
    assert user.post("/audio_clone", data=kept).json()["status"] == "success"
    for model in ("", "matching"):
        answer = user.post(SPEECH, json=BODY | {"model": model, "voice": "fox"})
        assert answer.status_code == 200 and seconds(answer.content) > 0.5
    refused = user.post(SPEECH, json=BODY | {"voice": "fox"})
    assert refused.status_code == 400 and refused.json()["error"]["message"]


def test_speech_models_are_listed(ai: openai.OpenAI) -> None:
    assert {"espeak", "matching"} <= {model.id for model in ai.models.list()}
    assert ai.models.retrieve("espeak").id == "espeak"


@pytest.mark.parametrize(
    ("change", "status", "param", "code"),
    [
        ({"model": "nobody"}, 404, "model", "model_not_found"),
        ({"model": "scripted"}, 404, "model", "model_not_found"),
        ({"model": "f5tts"}, 503, None, None),
        ({"model": 1}, 400, "model", None),
        ({"voice": "alloy"}, 404, "voice", None),
        ({"voice": "../voice"}, 404, "voice", None),
        ({"voice": {"id": "fox"}}, 400, "voice", None),
        ({"input": ""}, 400, "input", None),
        ({"input": None}, 400, "input", None),
        ({"input": "😀🎉"}, 400, "input", None),
        ({"input": "……！？"}, 400, "input", None),
        ({"input": "你" * 4_097}, 400, "input", None),
        ({"input": "你" * 50_000}, 400, "input", None),
        ({"input": "Привет, мир"}, 400, "text", None),
        ({"speed": 0}, 400, "speed", None),
        ({"speed": 4.1}, 400, "speed", None),
        ({"speed": "fast"}, 400, "speed", None),
        ({"response_format": "midi"}, 400, "response_format", None),
        ({"instructions": "whisper"}, 400, "instructions", None),
        ({"stream_format": "sse"}, 400, "stream_format", None),
        ({"volume": 1}, 400, "volume", None),
    ],
)
def test_bad_input_is_refused_in_openais_words(
    client: httpx.Client, change: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    asked = {name: value for name, value in (BODY | change).items() if value is not None}
    answer = client.post(SPEECH, json=asked)
    told = answer.json()["error"]
    assert (answer.status_code, told["code"]) == (status, code), told
    assert param in (None, told["param"]) and told["message"]
    assert told["type"] == ("server_error" if status >= 500 else "invalid_request_error")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"input": NaN}', b'{"input": "\\ud800 hello"}'])
def test_bodies_that_are_none(client: httpx.Client, content: bytes) -> None:
    answer = client.post(SPEECH, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "invalid_request_error"


class Speaks:
    """Says so many seconds, one by one, and may fail then; it tells how far it was asked."""

    model = "espeak"

    def __init__(self, count: int, fails: bool = False) -> None:
        self.count, self.fails, self.said, self.closed = count, fails, 0, False

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
        try:
            for _ in range(self.count):
                self.said += 1
                tone = np.sin(np.arange(22_050) / 10) * 9_000
                yield AudioChunk(pcm=tone.astype("<i2").tobytes(), sample_rate=22_050)
            if self.fails:
                raise Unavailable("模型正在重新启动，请稍后再试。", retry_after_s=2)
        finally:
            self.closed = True


def beside(tmp_path: Path, speaks: Speaks, **settings: Any) -> TestClient:
    known, kept = models(), Settings(var=tmp_path, **settings)
    Database(kept.tables_url).migrate()
    served = Models([known["espeak"]], known, fallback=True)
    return TestClient(build(make(kept, served, Engines(speeches={"espeak": speaks}))))


@pytest.mark.parametrize("form", ENCODINGS)
async def test_the_first_bytes_come_before_the_last_sentence_is_made(form: Any) -> None:
    speaks = Speaks(4)
    sent = []
    async with aclosing(encoded(speaks.synthesize(SpeechRequest(text="a")), form, LABEL)) as pieces:
        async for piece in pieces:
            sent.append((speaks.said, len(piece)))
    assert sent[0][0] == 1 and sent[0][1] > 1_000
    assert [said for said, _ in sent[:4]] == [1, 2, 3, 4]


async def test_who_leaves_ends_the_speech() -> None:
    speaks = Speaks(100)
    async with aclosing(encoded(speaks.synthesize(SpeechRequest(text="a")), "mp3", LABEL)) as pieces:
        await anext(pieces)
    assert speaks.closed and speaks.said == 1


def test_a_model_that_fails_at_once_is_told_so(tmp_path: Path) -> None:
    speaks = Speaks(0, fails=True)
    for _ in range(2):
        answer = beside(tmp_path, speaks, sync_calls=1).post(SPEECH, json=BODY)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["error"]["type"] == "server_error"


def test_one_that_fails_later_does_not_look_whole(tmp_path: Path) -> None:
    client = beside(tmp_path, Speaks(2, fails=True), sync_calls=1)
    with listening(client.app) as server:  # type: ignore[arg-type]
        url = address_of(server).replace("ws://", "http://") + SPEECH
        for _ in range(2):  # its place is given back
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(url, json=BODY)


def test_with_fallback_the_default_answers_and_says_so(tmp_path: Path) -> None:
    answer = beside(tmp_path, Speaks(1)).post(SPEECH, json=BODY | {"model": "f5tts", "voice": ""})
    assert answer.status_code == 503  # no model here speaks in the voice of a recording
    answer = beside(tmp_path, Speaks(1)).post(SPEECH, json=BODY | {"model": "", "voice": ""})
    assert answer.status_code == 200 and "x-troupe-model" not in answer.headers


async def test_who_leaves_before_the_first_sound_ends_it_too(tmp_path: Path) -> None:
    """A raw ASGI call whose client is gone as soon as it has asked."""
    import asyncio

    class Waits(Speaks):
        async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
            try:
                await asyncio.Event().wait()
                yield AudioChunk(pcm=b"\0\0", sample_rate=22_050)
            finally:
                self.closed = True

    speaks = Waits(1)
    client = beside(tmp_path, speaks, sync_calls=1)
    messages = iter([{"type": "http.request", "body": json.dumps(BODY).encode(), "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": SPEECH, "query_string": b"", "scheme": "http"}
    scope |= {"headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1)}
    await client.app(scope | {"server": ("here", 80), "http_version": "1.1", "asgi": {}}, receive, send)
    assert speaks.closed
