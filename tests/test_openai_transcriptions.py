"""Recordings written down, as OpenAI's official client asks for it, and as raw requests that it would never send."""

import asyncio
import io
import re
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import soundfile
from starlette.testclient import TestClient

from api.app import build
from api.models import Models
from api.openai.transcript import Form, Wanted, subtitles
from api.state import Engines, State, make
from contracts.catalog import models
from contracts.errors import Unavailable
from contracts.model import Progress
from contracts.settings import Settings
from contracts.transcription import Segment, Transcript, TranscriptionRequest
from store.database import Database
from tests.checkpoints.whisper import LANGUAGE, PHRASE
from tests.conftest import Cluster
from tests.media import alaw, film, hours, picture, sound, speech, talkie
from tests.performing import Hears

URL = "/v1/audio/transcriptions"


@pytest.fixture
def ai(studio: Cluster) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{studio.url}/v1", api_key="none", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def listener(studio: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.url, timeout=60) as client:
        yield client


def asked(client: openai.OpenAI, content: bytes, **changed: Any) -> Any:
    return client.audio.transcriptions.create(file=("a.wav", content), **{"model": "base"} | changed)


def sent(client: httpx.Client, content: bytes, **form: Any) -> httpx.Response:
    return client.post(URL, files={"file": ("a.wav", content)}, data={"model": "base"} | form)


def uploads(cluster: Cluster) -> set[Path]:
    return {path for path in (cluster.var / "artifacts/uploads").rglob("*") if path.is_file()}


def test_they_are_listed_after_those_that_converse(ai: openai.OpenAI) -> None:
    listed = [model.id for model in ai.models.list()]
    assert listed.index("scripted") < listed.index("base") and "film" not in listed
    assert ai.models.retrieve("base").id == "base"
    with pytest.raises(openai.NotFoundError):
        ai.chat.completions.create(model="base", messages=[{"role": "user", "content": "hello"}])


def test_what_is_said_is_told(studio: Cluster, ai: openai.OpenAI) -> None:
    before = uploads(studio)
    told = asked(ai, speech())
    assert (told.text, told.usage.type) == (PHRASE, "duration") and 3 < told.usage.seconds < 10
    assert uploads(studio) <= before


def test_the_name_that_its_clients_know_is_the_default(ai: openai.OpenAI) -> None:
    raw = ai.audio.transcriptions.with_raw_response
    for name, told in (("whisper-1", "base"), ("base", None)):
        answer = raw.create(file=("a.wav", speech()), model=name)
        assert (answer.headers.get("x-troupe-model"), answer.parse().text) == (told, PHRASE)


def test_verbose_json_tells_phrases_and_words(ai: openai.OpenAI) -> None:
    told = asked(ai, speech(), response_format="verbose_json", temperature=0.2)
    [segment] = told.segments
    assert (told.language, told.text, told.words) == (LANGUAGE, PHRASE, None)
    assert 0 <= segment.start < segment.end <= told.duration and segment.temperature == pytest.approx(0.2)
    assert (segment.id, segment.text) == (0, PHRASE) and segment.avg_logprob <= 0 and segment.compression_ratio > 0
    words = asked(ai, speech(), response_format="verbose_json", timestamp_granularities=["word"])
    assert "".join(word.word for word in words.words) == PHRASE and words.segments is None
    both = asked(ai, speech(), response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert both.words == words.words and len(both.segments) == 1


TIME = r"00:00:\d\d{point}\d{{3}} --> 00:00:\d\d{point}\d{{3}}"


@pytest.mark.parametrize(("form", "wanted"), [
    ("text", f"{PHRASE}\n"),
    ("srt", f"1\n{TIME.format(point=',')}\n{PHRASE}\n"),
    ("vtt", f"WEBVTT\n\n{TIME.format(point='[.]')}\n{PHRASE}\n"),
])  # fmt: skip
def test_texts_and_subtitles(ai: openai.OpenAI, form: str, wanted: str) -> None:
    assert re.fullmatch(wanted, asked(ai, speech(), response_format=form))


@pytest.mark.parametrize(("form", "marks"), [("srt", "<b> & → c"), ("vtt", "&lt;b> &amp; → c")])
def test_no_text_is_taken_for_markup(form: Form, marks: str) -> None:
    said = Transcript(text="", segments=[Segment(text="<b> &\n--> c", start_s=0.5, end_s=1.25)])
    content = bytes(subtitles(said, Wanted(form)).body).decode()
    assert content.endswith(f"\n{marks.replace('b>', 'b&gt;') if form == 'vtt' else marks}\n")
    assert "0.500 --> 00:00:01.250" in content.replace(",", ".")


def test_a_language_and_a_prompt_are_used(ai: openai.OpenAI) -> None:
    """After a prompt of two tokens the tests' model has come to the second character."""
    assert asked(ai, speech(), response_format="verbose_json", language="en").language == "en"
    assert asked(ai, speech(), prompt="a").text == PHRASE[1:]


def clipped() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.clip(np.random.default_rng(0).normal(0, 3, 3 * 16_000), -1, 1), 16_000, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(("content", "text"), [
    (talkie(speech()), PHRASE),
    (alaw(speech()), PHRASE),
    (sound("mp3", "libmp3lame", 44_100, 3), ""),
    (clipped(), ""),
], ids=["a film", "a telephone", "a tone", "clipped noise"])  # fmt: skip
def test_recordings_of_every_kind(ai: openai.OpenAI, content: bytes, text: str) -> None:
    assert asked(ai, content).text == text
    assert asked(ai, content, response_format="srt").count("-->") == bool(text)


@pytest.mark.parametrize(("content", "status"), [
    (b"", 400),
    (b"<!DOCTYPE html><html><body>404</body></html>", 415),
    (picture(), 415),
    (speech()[:40], 400),
    (film("mp4", "libx264"), 400),
    (sound("wav", "pcm_s16le", 16_000, 0.2), 400),
    (hours(3), 400),
], ids=["empty", "html", "a picture", "broken", "a silent film", "0.2 s", "3 hours"])  # fmt: skip
def test_files_that_are_refused(studio: Cluster, listener: httpx.Client, content: bytes, status: int) -> None:
    before = uploads(studio)
    answer = sent(listener, content)
    told = answer.json()["error"]
    assert (answer.status_code, told["type"], told["param"]) == (status, "invalid_request_error", "file"), told
    assert told["message"] and uploads(studio) <= before


@pytest.mark.parametrize(("form", "status", "param", "code"), [
    ({"model": "nobody"}, 404, "model", "model_not_found"),
    ({"model": "scripted"}, 404, "model", "model_not_found"),
    ({"model": "espeak"}, 404, "model", "model_not_found"),
    ({"model": "large-v3"}, 503, "model", None),
    ({"language": "xx"}, 400, "language", None),
    ({"language": "zh; drop"}, 400, "language", None),
    ({"language": "fr"}, 400, "language", None),  # the tests' model has not
    ({"temperature": "2"}, 400, "temperature", None),
    ({"temperature": "hot"}, 400, "temperature", None),
    ({"temperature": "nan"}, 400, "temperature", None),
    ({"response_format": "xml"}, 400, "response_format", None),
    ({"response_format": "diarized_json"}, 400, "response_format", None),
    ({"timestamp_granularities[]": "word"}, 400, "timestamp_granularities", None),
    ({"timestamp_granularities[]": "letter"}, 400, "timestamp_granularities[].0", None),
    ({"prompt": "很" * 1_001}, 400, "prompt", None),
    ({"prompt": "a\0b"}, 400, "prompt", None),
    ({"stream": "true"}, 400, "stream", None),
    ({"chunking_strategy": "server_vad"}, 400, "chunking_strategy", None),
    ({"include[]": "logprobs"}, 400, "include[]", None),
    ({"magic": "1"}, 400, "magic", None),
])  # fmt: skip
def test_fields_that_are_refused(
    listener: httpx.Client, form: dict[str, str], status: int, param: str, code: str | None
) -> None:
    answer = sent(listener, speech(), **form)
    told = answer.json()["error"]
    assert (answer.status_code, told["param"], told["code"]) == (status, param, code), told
    assert told["message"] and told["type"] == ("server_error" if status >= 500 else "invalid_request_error")


def test_forms_that_are_none(listener: httpx.Client) -> None:
    twice = [("file", ("a.wav", speech()))] * 2
    for request in (
        {"json": {"model": "base"}},
        {"data": {"model": "base"}},
        {"data": {"file": "a"}},
        {"files": twice},
    ):
        answer = listener.post(URL, **request)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
    blank = dict.fromkeys(("model", "language", "prompt", "response_format", "temperature"), "")
    assert sent(listener, speech(), **blank).json()["text"] == PHRASE


def test_where_nobody_hears(client: httpx.Client) -> None:
    for name in ("", "whisper-1"):
        answer = sent(client, speech(), model=name)
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
        assert "语音识别" in answer.json()["error"]["message"]


class Listens(Hears):
    """Says how far it is, and then no more."""

    def __init__(self) -> None:
        super().__init__("")
        self.begun, self.closed = asyncio.Event(), False

    async def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Any]:
        try:
            yield Progress(fraction=0.1)
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.closed = True


class Away(Hears):
    async def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Any]:
        yield Progress(fraction=0.1)
        raise Unavailable("模型正在重新启动，请稍后再试。", retry_after_s=2)


def here(tmp_path: Path, hears: Hears, fallback: bool = False, **settings: Any) -> tuple[TestClient, State]:
    """The API beside the test."""
    known = models()
    kept = Settings(var=tmp_path, min_free_gib=0, **settings)
    Database(kept.tables_url).migrate()
    state = make(kept, Models([known["base"]], known, fallback), Engines(transcriptions={"base": hears}))
    return TestClient(build(state)), state


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]


def test_keys_are_asked_for_where_they_are_required(tmp_path: Path) -> None:
    client, state = here(tmp_path, Hears("你好"), require_key=True)
    made = state.keys.create("shop", "user")[1]
    for secret in ("sk-nothing", "troupe_nobody", ""):
        answer = client.post(URL, files={"file": speech()}, headers={"Authorization": f"Bearer {secret}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    answer = client.post(URL, files={"file": speech()}, headers={"Authorization": f"Bearer {made}"})
    assert answer.json()["text"] == "你好" and kept(tmp_path) == []


def test_with_fallback_the_default_answers_and_says_so(tmp_path: Path) -> None:
    client, _ = here(tmp_path, Hears("你好"), fallback=True)
    answer = sent(client, speech(), model="large-v3")
    assert (answer.status_code, answer.headers["x-troupe-model"]) == (200, "base")


def test_a_model_that_breaks_off(tmp_path: Path) -> None:
    answer = sent(here(tmp_path, Away(""))[0], speech())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["error"]["type"] == "server_error" and kept(tmp_path) == []


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    hears = Listens()
    answer = sent(here(tmp_path, hears, sync_s=0.2)[0], speech())
    assert (answer.status_code, hears.closed) == (504, True)
    assert "/api/audio/transcribe" in answer.json()["error"]["message"] and kept(tmp_path) == []


async def test_who_leaves_ends_it(tmp_path: Path) -> None:
    """A raw ASGI call whose client is gone as soon as somebody listens to what it has sent."""
    hears = Listens()
    client, _ = here(tmp_path, hears, sync_calls=1)
    request = httpx.Request("POST", "http://here", files={"file": ("a.wav", speech())})
    body = iter([{"type": "http.request", "body": request.read(), "more_body": False}])

    async def receive() -> dict[str, Any]:
        if message := next(body, None):
            return message
        await hears.begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {"type": "http", "method": "POST", "path": URL, "query_string": b"", "headers": headers, "scheme": "http"}
    scope |= {"client": ("127.0.0.1", 1), "server": ("here", 80), "http_version": "1.1", "asgi": {}}
    async with asyncio.timeout(30):
        await client.app(scope, receive, send)
    assert hears.closed and kept(tmp_path) == []
