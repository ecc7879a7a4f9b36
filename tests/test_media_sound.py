"""The multimedia family's sounds: recordings written down, texts said aloud, voices."""

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import build as api
from api.models import Models
from api.state import Engines, make
from contracts.catalog import models, voices
from contracts.settings import Settings
from deployments.registry import build
from deployments.speech.world import pyworld
from jobs import engine as job_engine
from store.database import Database
from store.tables import JobRow
from tests.checkpoints import whisper
from tests.conftest import ROOT, Cluster, sign_up
from tests.documented import check, examples, filled
from tests.media import alaw, film, hours, picture, sound, speech, talkie
from tests.waiting import eventually

EXAMPLES = examples("media-sound")
DOCUMENT = (ROOT / "docs/api/platform.md").read_text(encoding="utf-8")
TRANSCRIBE, SYNTHESIZE = "/api/audio/transcribe", "/api/audio/synthesize"
SAID = {"text": "你好，世界！", "voice": "default-female", "language": "zh", "speed": 1.0, "pitch": 0}
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def listener(studio: Cluster) -> Iterator[httpx.Client]:
    """Nobody in particular, where somebody hears."""
    with httpx.Client(base_url=studio.url, timeout=60) as client:
        client.get("/v1/jobs")  # a cookie
        yield client


def hear(client: httpx.Client, content: bytes, path: str = TRANSCRIBE, **form: str) -> httpx.Response:
    return client.post(path, files={"audio": ("recording.wav", content)}, data=form)


def heard(client: httpx.Client, url: str) -> np.ndarray:
    """The labelled MP3 at a URL, decoded."""
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert answer.headers["x-aigc-label"] == "1" and b"AIGC" in answer.content
    with av.open(io.BytesIO(answer.content)) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]).astype(float)


def pitch_hz(samples: np.ndarray) -> float:
    pitch, _ = pyworld.harvest(samples, 22_050, f0_floor=60, f0_ceil=800)
    return float(np.median(pitch[pitch > 0]))


@pytest.mark.parametrize("prefix", ["", "/media"])
def test_documented_examples(listener: httpx.Client, prefix: str) -> None:
    known: dict[str, Any] = {}
    for example in EXAMPLES:
        method, _, path = example["call"].partition(" ")
        files = {name: (file, speech()) for name, file in example.get("files", {}).items()}
        answer = listener.request(
            method,
            prefix + filled(example.get("path", path), known),
            json=example.get("json"),
            data=example.get("form"),
            files=files or None,
        )
        assert answer.status_code == 200, f"{example['call']}: {answer.text}"
        check(answer.json(), filled(example["data"], known), example["call"])
        known |= {name: answer.json()[field] for name, field in example.get("learn", {}).items()}
    assert re.fullmatch(r"task_audio_\w+", known["heard"]) and re.fullmatch(r"task_tts_\w+", known["said"])
    assert re.fullmatch(r"/outputs/audio/speech_\w+\.mp3", known["url"])
    assert len(heard(listener, prefix + known["url"])) / 22_050 == pytest.approx(1.5, abs=1)


def test_every_documented_route_has_an_example() -> None:
    documented = set(re.findall(r"(\w+) (/audio/\S+)", DOCUMENT))
    assert documented == {("POST", "/audio/transcribe"), ("POST", "/audio/synthesize")}
    assert {(method, f"/api{path}") for method, path in documented} < {
        tuple(example["call"].split()) for example in EXAMPLES
    }


def test_a_recording_is_written_down_and_not_kept(studio: Cluster, listener: httpx.Client) -> None:
    before = uploads(studio)
    body = hear(listener, speech()).json()
    assert (body["text"], body["language"]) == (whisper.PHRASE, whisper.LANGUAGE)  # it is found out
    assert 0 <= body["segments"][0]["start"] < body["segments"][0]["end"] <= body["duration"]
    assert hear(listener, speech(), language="en-GB").json()["language"] == "en"
    eventually(lambda: uploads(studio) == before)


@pytest.mark.parametrize("content", [talkie(speech()), alaw(speech())], ids=["a film", "a telephone"])
def test_whatever_has_sound_is_heard(listener: httpx.Client, content: bytes) -> None:
    assert hear(listener, content).json()["text"] == whisper.PHRASE


def uploads(cluster: Cluster) -> set[str]:
    return {str(path) for path in (cluster.var / "artifacts/uploads").rglob("*") if path.is_file()}


def test_silence_has_no_text(listener: httpx.Client) -> None:
    body = hear(listener, sound("wav", "pcm_s16le", 16_000, 3)).json()
    assert body["status"] == "completed" and body["text"] == "" and body["segments"] == []
    assert body["duration"] == pytest.approx(3, abs=0.1)


def test_who_will_not_wait_asks_again(listener: httpx.Client) -> None:
    asked = listener.post(TRANSCRIBE, files={"audio": ("a.wav", speech())}, headers=LATER)
    body = asked.json()
    assert (asked.status_code, body["status"], body["text"], body["segments"]) == (202, "processing", "", [])
    status = f"/api/audio/status/{body['task_id']}"
    eventually(lambda: listener.get(status).json()["status"] == "completed")
    done = listener.get(status).json()
    assert done.keys() | {"progress"} == body.keys() and done["text"] == whisper.PHRASE
    assert 0 <= body["progress"] < 100
    asked = listener.post(SYNTHESIZE, json=SAID, headers=LATER)
    body = asked.json()
    assert (asked.status_code, body["status"], body["audio_url"]) == (202, "processing", None)
    status = f"/media/api/audio/status/{body['task_id']}"
    eventually(lambda: listener.get(status).json()["status"] == "completed")
    assert heard(listener, listener.get(status).json()["audio_url"]).size


def test_what_failed_says_so(listener: httpx.Client) -> None:
    """The tests' model knows two languages only."""
    files = {"audio": ("a.wav", speech())}
    task = listener.post(TRANSCRIBE, files=files, data={"language": "fr"}, headers=LATER).json()["task_id"]
    eventually(lambda: listener.get(f"/api/audio/status/{task}").json()["status"] == "failed")
    body = listener.get(f"/api/audio/status/{task}").json()
    assert body["text"] == "" and body["segments"] == [] and "fr" in body["message"]
    answer = hear(listener, speech(), language="fr")
    assert answer.status_code == 422 and "fr" in answer.json()["detail"]


def test_another_callers_task_is_not_found(studio: Cluster, listener: httpx.Client) -> None:
    sign_up(studio, listener)
    task = hear(listener, speech()).json()["task_id"]
    with httpx.Client(base_url=studio.url) as stranger:
        sign_up(studio, stranger)
        for asked in (task, task.replace("task_audio", "task_tts"), "task_audio_001", "x"):
            answer = stranger.get(f"/api/audio/status/{asked}")
            assert answer.status_code == 404 and answer.json()["detail"].endswith("任务不存在。")
    assert listener.get(f"/api/audio/status/{task.replace('task_audio', 'task_tts')}").status_code == 404


def test_speed_pitch_and_language_are_heard(listener: httpx.Client) -> None:
    def said(**change: object) -> tuple[np.ndarray, float]:
        body = listener.post(SYNTHESIZE, json=SAID | {"text": "很久很久以前，山上住着一只小兔子。"} | change).json()
        return heard(listener, body["audio_url"]), body["duration"]

    plain, duration_s = said()
    assert len(plain) / 22_050 == pytest.approx(duration_s, abs=0.2)
    assert said(speed=0.5)[1] > 1.6 * duration_s
    high = said(pitch=12)[0]
    assert pitch_hz(high) / pitch_hz(plain) == pytest.approx(2, rel=0.1)
    assert pitch_hz(said(voice="default-male")[0]) < 0.75 * pitch_hz(plain)
    digits = {code: said(text="1234", language=code)[1] for code in ("zh", "en", "zh-CN")}
    assert digits["zh"] == digits["zh-CN"] != digits["en"]


def test_a_kept_voice_is_spoken_with_and_stays(studio: Cluster, listener: httpx.Client) -> None:
    sign_up(studio, listener)
    listener.post("/save_audio", files={"audio": ("input.wav", speech())})
    cloned = {"original_audio_path": "static/audios/input.wav", "audio_id": "fox"}
    assert listener.post("/audio_clone", data=cloned).json()["status"] == "success"
    listed = listener.get("/api/audio/voices").json()
    assert listed[-1] == {"id": "fox", "name": "fox", "language": "", "ready": True}
    for language in ("en", ""):  # once more: its recording was not removed
        asked = {"text": "Once upon a time, a little rabbit lived on a hill.", "voice": "fox", "language": language}
        body = listener.post(SYNTHESIZE, json=asked).json()
        assert pitch_hz(heard(listener, body["audio_url"])) == pytest.approx(105, rel=0.25)  # a man
    with httpx.Client(base_url=studio.url) as stranger:
        assert stranger.post(SYNTHESIZE, json=SAID | {"voice": "fox"}).status_code == 404
        assert "fox" not in [voice["id"] for voice in stranger.get("/api/audio/voices").json()]


def test_the_catalogues_voices_are_there_in_every_language_that_it_says() -> None:
    for spec in voices().values():
        for name, called in spec.engines.items():
            engine = build("speech", name, {})
            engine.load()
            for language, voice in called.items():
                tag, _, variant = voice.partition("+")
                espeak = getattr(engine, "espeak", engine)
                assert tag in espeak.languages and variant in espeak.variants
                assert language in models()[name].languages


def test_the_catalogues_languages_are_those_of_the_engine() -> None:
    from contracts.speech import SpeechRequest

    engine = build("speech", "espeak", {})
    engine.load()
    for language in models()["espeak"].languages:
        assert engine.language(SpeechRequest(text="1", language=language))
    assert {"zh", "en", "yue", "no"} & set(models()["espeak"].languages) == {"zh", "en", "yue"}


Send = Callable[[httpx.Client], httpx.Response]


@pytest.mark.parametrize(
    ("send", "status", "param"),
    [
        (lambda client: hear(client, film("mp4", "libx264")), 422, "audio"),  # a silent one
        (lambda client: hear(client, b"<!DOCTYPE html><html><body>404</body></html>"), 415, "audio"),
        (lambda client: hear(client, hours(3)), 422, "audio"),
        (lambda client: hear(client, picture()), 415, "audio"),
        (lambda client: hear(client, b"hello"), 415, "audio"),
        (lambda client: hear(client, b""), 422, "audio"),
        (lambda client: hear(client, speech()[:40]), 422, "audio"),
        (lambda client: hear(client, sound("wav", "pcm_s16le", 16_000, 0.2)), 422, "audio"),
        (lambda client: client.post(TRANSCRIBE, data={"model": "base"}), 422, "audio"),
        (lambda client: client.post(TRANSCRIBE, files=[("audio", ("a.wav", speech()))] * 2), 422, "audio"),
        (lambda client: client.post(TRANSCRIBE, data={"audio": "a.wav"}), 422, "audio"),
        (lambda client: hear(client, speech(), language="xx"), 422, "language"),
        (lambda client: hear(client, speech(), language="zh; drop"), 422, "language"),
        (lambda client: hear(client, speech(), language="yue"), 422, "language"),
        (lambda client: hear(client, speech(), model="enormous"), 422, "model"),
        (lambda client: hear(client, speech(), model="espeak"), 422, "model"),
        (lambda client: hear(client, speech(), model="large-v3"), 503, "model"),
        (lambda client: hear(client, speech(), beams="9"), 422, "beams"),
    ],
)
def test_recordings_that_are_refused(listener: httpx.Client, send: Send, status: int, param: str) -> None:
    answer = send(listener)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].startswith(f"{param}: "), answer.text


def test_an_absent_model_says_what_to_do(listener: httpx.Client) -> None:
    detail = hear(listener, speech(), model="tiny").json()["detail"]
    assert "Systran/faster-whisper-tiny" in detail and "models" in detail


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": None, "pitch": None}, 422, "text"),
        ({"text": 5}, 422, "text"),
        ({"text": "😀🎉"}, 422, "text"),
        ({"text": "……！？"}, 422, "text"),
        ({"text": "你" * 50_000}, 422, "text"),
        ({"text": "你\0好"}, 422, "text"),
        ({"speed": 0}, 422, "speed"),
        ({"speed": 4.1}, 422, "speed"),
        ({"speed": "1.0"}, 422, "speed"),
        ({"speed": True}, 422, "speed"),
        ({"speed": float("nan")}, 422, "speed"),
        ({"pitch": float("inf")}, 422, "pitch"),
        ({"pitch": -12.5}, 422, "pitch"),
        ({"language": "xx"}, 422, "language"),
        ({"language": "xx", "voice": ""}, 422, "language"),
        ({"language": "zh; drop"}, 422, "language"),
        ({"language": "ja"}, 422, "language"),  # the voice has not
        ({"voice": "nobody"}, 404, "voice"),
        ({"voice": "../voice"}, 404, "voice"),
        ({"volume": 1}, 422, "volume"),
    ],
)
def test_texts_that_are_refused(listener: httpx.Client, change: dict[str, Any], status: int, param: str) -> None:
    content = json.dumps(SAID | change, ensure_ascii=False).encode()
    answer = listener.post(SYNTHESIZE, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].startswith(f"{param}: "), answer.text


def test_half_a_character_is_refused(listener: httpx.Client) -> None:
    content, headers = b'{"text": "\\ud83d hello"}', {"Content-Type": "application/json"}
    assert listener.post(SYNTHESIZE, content=content, headers=headers).status_code == 422


@pytest.mark.parametrize("model", ["", "base"])
def test_where_nobody_hears(client: httpx.Client, model: str) -> None:
    """On a cluster without such a model; the synthesis is there."""
    answer = hear(client, speech(), model=model)
    assert answer.status_code == 503
    assert "语音识别" in answer.json()["detail"] or "base" in answer.json()["detail"]
    assert "models" in answer.json()["detail"] and "faster-whisper" in answer.json()["detail"]
    assert client.post(SYNTHESIZE, json=SAID).status_code == 200


def test_a_conversation_from_end_to_end(listener: httpx.Client) -> None:
    """What is heard is answered, and the answer is spoken in a film."""
    answer = listener.post("/chat_system", files={"audio": ("input.wav", speech())}, timeout=120)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "success"), answer.text
    assert any(map(str.isalnum, body["response"]))
    with av.open(io.BytesIO(listener.get(body["video_path"]).content)) as made:
        assert made.streams.video and made.streams.audio


def test_nobody_who_speaks_is_answered_so(listener: httpx.Client) -> None:
    answer = listener.post("/chat_system", files={"audio": ("input.wav", sound("wav", "pcm_s16le", 16_000, 3))})
    body = answer.json()
    assert body["status"] == "error" and "没有听到说话" in body["message"]


@pytest.mark.parametrize(("fallback", "status", "told"), [(True, 202, "cosyvoice"), (False, 503, None)])
def test_a_voice_that_nobody_served_has(tmp_path: Path, fallback: bool, status: int, told: str | None) -> None:
    settings = Settings(var=tmp_path, min_free_gib=0)
    Database(settings.tables_url).migrate()
    job_engine.migrate(settings)
    state = make(settings, Models([models()["cosyvoice"]], models(), fallback), Engines())
    client = TestClient(api(state))
    answer = client.post(SYNTHESIZE, json=SAID, headers=LATER)
    assert (answer.status_code, answer.headers.get("X-Troupe-Model")) == (status, told)
    if fallback:  # its own voice
        assert client.post(SYNTHESIZE, json=SAID | {"language": "fr"}, headers=LATER).status_code == 422
        with state.database.session() as session:
            [params] = session.scalars(select(JobRow.params))
        assert (params["model"], params["voice"], params["language"]) == ("cosyvoice", "", "zh")
    else:
        assert "espeak" in answer.json()["detail"]
    state.database.engine.dispose()


def test_who_has_waited_too_long_gets_it_as_far_as_it_is(tmp_path: Path) -> None:
    """Here, where no worker runs, it does not go on."""
    settings = Settings(var=tmp_path, min_free_gib=0, sync_s=0.2)
    Database(settings.tables_url).migrate()
    job_engine.migrate(settings)
    state = make(settings, Models([models()["base"]], models(), False), Engines())
    with TestClient(api(state)) as client:
        answer = hear(client, speech())
        assert (answer.status_code, answer.json()["status"], answer.json()["progress"]) == (202, "processing", 0)
        assert client.get(f"/api/audio/status/{answer.json()['task_id']}").json() == answer.json()
    state.database.engine.dispose()


def test_the_default_answers_for_an_absent_model_and_says_so(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, min_free_gib=0)
    Database(settings.tables_url).migrate()
    job_engine.migrate(settings)
    state = make(settings, Models([models()["base"]], models(), True), Engines())
    client = TestClient(api(state))
    for asked, told in (("large-v3", "base"), ("base", None), ("", None)):
        answer = client.post(TRANSCRIBE, files={"audio": ("a.wav", speech())}, data={"model": asked}, headers=LATER)
        assert (answer.status_code, answer.headers.get("X-Troupe-Model")) == (202, told)
        assert answer.json()["status"] == "processing"
    with state.database.session() as session:
        assert [params["model"] for params in session.scalars(select(JobRow.params))] == ["base"] * 3
    assert not any(voice["ready"] for voice in client.get("/api/audio/voices").json())  # nobody speaks here
    answer = client.post(SYNTHESIZE, json=SAID)
    assert answer.status_code == 503 and "espeak" in answer.json()["detail"]
    state.database.engine.dispose()
