"""What users of the digital human rely on beyond the documented examples."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.app import build
from api.human import machine
from api.human.gpus import Gpu, check_gpu, gpus
from api.human.paths import documented
from api.models import Models
from api.naming import candidates, safe_stem
from api.state import Engines, make
from contracts.catalog import ModelSpec, models
from contracts.errors import InvalidInput
from contracts.settings import Settings
from jobs import engine
from store.artifacts import Artifacts
from store.database import Database
from store.names import key_of
from store.tables import ArtifactRow, JobRow
from tests.conftest import Cluster
from tests.media import sound, speech, talkie
from tests.waiting import eventually


def upload(client: httpx.Client, name: str, content: bytes | None = None) -> dict[str, Any]:
    answer = client.post("/api/upload-reference-audio", files={"audio": (name, content or speech())})
    assert answer.status_code == 200, answer.text
    return answer.json()


def cloned(client: httpx.Client, voice: str, **headers: str) -> httpx.Response:
    path = upload(client, f"{voice}.wav")["relative_path"]
    return client.post("/audio_clone", data={"original_audio_path": path, "audio_id": voice}, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "static/voices/ref_voices/甲.wav",
        "/static/voices/ref_voices/甲.wav",
        "./static/voices/ref_voices/甲.wav",
        "static\\voices\\ref_voices\\甲.wav",
        "EchOfU/static/voices/ref_voices/甲.wav",
        "\\EchOfU\\static\\voices\\ref_voices\\甲.wav",
    ],
)
def test_documented_paths_are_one(path: str) -> None:
    assert documented(path) == "static/voices/ref_voices/甲.wav"


@given(st.text(max_size=300))
def test_every_name_becomes_a_safe_one(name: str) -> None:
    stem = safe_stem(name, "audio")
    for made in islice(candidates(stem, ".wav"), 2):
        assert key_of(f"static/voices/ref_voices/{made}").rpartition("/")[2] == made


@given(st.text(max_size=60))
def test_every_path_is_inside_the_store_or_refused(path: str) -> None:
    try:
        key = documented(path)
    except InvalidInput:
        return
    assert not key.startswith("/") and not {".", "..", ""} & set(key.split("/"))


def test_names_are_kept_and_never_taken_twice(user: httpx.Client) -> None:
    first, second = upload(user, "我的 声音（一）.WAV"), upload(user, "我的 声音（一）.WAV")
    assert (first["filename"], second["filename"]) == ("我的_声音（一）.wav", "我的_声音（一）_1.wav")
    assert first["original_name"] == "我的 声音（一）.WAV"
    webm = upload(user, "../../录音.wav", sound("webm", "libopus", 48_000))  # the content decides
    assert webm["relative_path"] == "static/voices/ref_voices/录音.weba"
    listed = user.get("/api/reference-audios").json()
    assert [file["filename"] for file in listed["files"]] == [webm["filename"], second["filename"], first["filename"]]
    assert [file["file_type"] for file in listed["files"]] == ["WEBA", "WAV", "WAV"]
    assert user.get(f"/{first['relative_path']}").content == speech()


def test_equal_names_at_once(user: httpx.Client) -> None:
    contents = [sound("wav", "pcm_s16le", 16_000, 1 + number / 10) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda content: upload(user, "同名.wav", content)["relative_path"], contents))
    assert len(set(taken)) == len(contents)
    assert [user.get(f"/{path}").content for path in taken] == contents


def test_the_last_recording_of_each_caller(new_user: Callable[[], httpx.Client]) -> None:
    one, other = new_user(), new_user()
    webm = sound("webm", "libopus", 48_000)
    one.post("/save_audio", files={"audio": ("input.wav", speech())})
    other.post("/save_audio", files={"audio": ("input.wav", speech("Another one."))})
    one.post("/save_audio", files={"audio": ("input.wav", webm)})
    heard = one.get("/static/audios/input.wav")
    assert heard.content == webm and heard.headers["content-type"] == "audio/webm"
    assert other.get("/EchOfU/static/audios/input.wav").status_code == 404
    assert other.get("/static/audios/input.wav").content == speech("Another one.")


def test_of_recordings_at_once_one_stays(user: httpx.Client, cluster: Cluster) -> None:
    forms = (("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame"), ("webm", "libopus"))
    contents = [sound(form, codec, 48_000) for form, codec in forms]

    def save(content: bytes) -> int:
        return user.post("/save_audio", files={"audio": ("input.wav", content)}).status_code

    for _ in range(6):
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(save, contents)) == [200] * 4
        assert user.get("/static/audios/input.wav").content in contents
    save(contents[0])
    of_caller = select(ArtifactRow.key).where(ArtifactRow.owner == owner_of(cluster, user))
    with database(cluster).session() as session:
        [key] = set(session.scalars(of_caller))
    assert Artifacts(Settings(var=cluster.var)).read(key) == contents[0]


def test_a_callers_recording_is_not_that_of_somebody_at_its_address(cluster: Cluster) -> None:
    with httpx.Client(base_url=cluster.url) as one, httpx.Client(base_url=cluster.url) as other:
        one.get("/api/status")  # gives it a cookie
        one.post("/save_audio", files={"audio": ("input.wav", speech())})
        other.post("/save_audio", files={"audio": ("input.wav", speech("Somebody else."))})  # has none yet
        assert one.get("/static/audios/input.wav").content == speech()


def test_a_film_plays_the_recording_that_it_was_asked_to(user: httpx.Client, cluster: Cluster) -> None:
    user.post("/save_audio", files={"audio": ("input.wav", speech())})
    form, later = {"ref_audio": "static/audios/input.wav"}, {"Prefer": "respond-async"}
    asked = user.post("/video_generation", data=form, headers=later).json()["task_id"]
    user.post("/save_audio", files={"audio": ("input.wav", speech("Another one."))})
    with database(cluster).session() as session:
        row = session.get_one(JobRow, asked)
    assert Artifacts(Settings(var=cluster.var)).read(row.params["audio"]) == speech()


async def test_a_conversation_hears_the_recording_that_it_was_asked_about(tmp_path: Path) -> None:
    settings, known = Settings(var=tmp_path), models()
    Database(settings.tables_url).migrate()
    engine.migrate(settings)
    hears = ModelSpec(id="hears", capability="transcription", engine="hears")
    served = [known["scripted"], known["matching"], hears]
    state = make(settings, Models(served, known, fallback=False), Engines())
    transport = httpx.ASGITransport(build(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe") as client:
        await client.get("/api/status")  # gives it a cookie
        await client.post("/save_audio", files={"audio": ("input.wav", speech())})
        asked = await client.post("/chat_system", headers={"Prefer": "respond-async"})
        assert asked.status_code == 202, asked.text
        await client.post("/save_audio", files={"audio": ("input.wav", speech("Another one."))})
        history = (await client.get("/api/history/chat_system")).json()["history"]
    with state.database.session() as session:
        row = session.get_one(JobRow, asked.json()["task_id"])
    assert state.artifacts.read(row.params["recording"]) == speech()
    assert [record["status"] for record in history] == ["queued"]
    for each in (state.database, state.artifacts._database):
        each.engine.dispose()


def owner_of(cluster: Cluster, user: httpx.Client) -> str:
    upload(user, "mine.wav")
    newest = select(ArtifactRow).where(ArtifactRow.key.endswith("/mine.wav")).order_by(ArtifactRow.created_ms.desc())
    with database(cluster).session() as session:
        row = session.scalars(newest).first()
        assert row
        session.delete(row)
    return row.owner


def database(cluster: Cluster) -> Database:
    return Database(Settings(var=cluster.var).tables_url)


def test_a_film_names_what_made_it(user: httpx.Client) -> None:
    cloned(user, "我")
    asked = {"model_name": "ER-NeRF", "gpu_choice": "GPU7", "ref_audio_id": "我", "target_text": "你好", "pitch": "2"}
    answer = user.post("/video_generation", data=asked)
    body = answer.json()
    assert body["status"] == "success", body
    assert answer.headers["x-troupe-model"] == "portrait" and answer.headers["x-aigc-label"] == "1"
    assert all(word in body["message"] for word in ("ER-NeRF", "静态肖像", "GPU7", "CPU", "音高"))
    told = user.get("/api/history/video_generation").json()["history"][0]
    assert told["parameters"] == {"model_name": "ER-NeRF", "target_text": "你好", "ref_audio_id": "我"}
    assert told["result"]["video_path"] == body["video_path"] and told["id"] == body["task_id"]


def test_a_recording_is_played_where_there_is_no_text(user: httpx.Client) -> None:
    path = upload(user, "说.wav")["relative_path"]
    answer = user.post("/video_generation", data={"model_name": "SyncTalk", "ref_audio": path})
    assert answer.json()["status"] == "success", answer.text
    assert user.get(answer.json()["video_path"]).status_code == 200
    assert user.get(f"/{path}").status_code == 200  # what was brought stays


def test_who_does_not_wait_has_the_voice_later(user: httpx.Client) -> None:
    answer = cloned(user, "later", Prefer="respond-async")
    assert answer.status_code == 202 and answer.json()["task_id"]
    eventually(lambda: user.get("/api/cloned-audios").json()["total_count"] == 1)


def test_a_voice_keeps_the_consent_of_who_speaks(user: httpx.Client) -> None:
    for voice, consent in (("a", "本人书面同意，2026 年"), ("b", "")):
        path = upload(user, f"{voice}.wav")["relative_path"]
        form = {"original_audio_path": path, "audio_id": voice, "consent": consent}
        assert user.post("/audio_clone", data=form).json()["status"] == "success"
    told = user.get("/api/history/audio_clone").json()["history"]
    assert [each["parameters"] for each in told] == [
        {"audio_id": "b"},
        {"audio_id": "a", "consent": "本人书面同意，2026 年"},
    ]


@pytest.mark.parametrize("text", [".5 折优惠", "callers/x/说"])
def test_a_text_that_looks_like_a_file_is_told_as_it_is(user: httpx.Client, text: str) -> None:
    assert user.post("/audio_clone", data={"generate_text": text}).json()["status"] == "success"
    [told] = user.get("/api/history/audio_clone").json()["history"]
    assert told["parameters"] == {"generate_text": text}


def test_a_cancelled_voice_leaves_nothing_for_ever(user: httpx.Client, cluster: Cluster) -> None:
    """Its sample lies where `troupe gc` collects what no job and no voice needs."""
    asked = cloned(user, "never", Prefer="respond-async").json()["task_id"]
    user.delete(f"/v1/jobs/{asked}")
    with database(cluster).session() as session:
        row = session.get_one(JobRow, asked)
    assert row.params["sample"].startswith("uploads/")


def test_a_voice_stays_when_its_recording_is_replaced_and_is_replaced_by_its_name(user: httpx.Client) -> None:
    assert cloned(user, "same").json()["status"] == "success"
    assert cloned(user, "same").json()["status"] == "success"
    assert [voice["id"] for voice in user.get("/api/cloned-audios").json()["audios"]] == ["same"]
    spoken = user.post("/audio_clone", data={"audio_id": "same", "generate_text": "你好"}).json()
    assert user.get(spoken["cloned_audio_path"]).headers["content-type"] == "audio/wav"


def test_trainings_of_one_second_have_ids_of_their_own(user: httpx.Client) -> None:
    file = {"video": ("甲.mp4", talkie(speech(), 5.0))}
    path = user.post("/api/upload-training-video", files=file).json()["relative_path"]
    form = {"model_choice": "ER-NeRF", "ref_video": path.replace("/", "\\"), "gpu_choice": "GPU0", "epoch": "3"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: user.post("/model_training", data=form).json(), range(4)))
    ids = {answer["task_id"] for answer in answers}
    assert len(ids) == 4 and all(each.startswith("train_") for each in ids)
    assert {record["id"] for record in user.get("/api/history/model_training").json()["history"]} == ids
    for each in ids:
        assert user.post(f"/api/training/stop/{each}").status_code == 200
        assert user.get(f"/human/v1/api/train-status/{each}").json()["data"]["state"] == "failed"


def test_a_machine_at_work_says_so_to_everybody() -> None:
    """Whatever thread answers, and though it never looked before."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            for _ in range(4):
                with ThreadPoolExecutor(1) as pool:
                    assert pool.submit(machine.cpu_percent).result() > 0
        finally:
            busy.kill()


def test_a_gpu_that_does_not_tell_its_load_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that is shared out in parts."""

    def silent(*_: object) -> None:
        raise pynvml.NVMLError_NotSupported()

    for name, told in {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetName": lambda _: "NVIDIA H200",
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=1, total=2),
        "nvmlDeviceGetUtilizationRates": silent,
        "nvmlDeviceGetTemperature": silent,
    }.items():
        monkeypatch.setattr(pynvml, name, told)
    assert gpus() == [Gpu("NVIDIA H200", 0.0, 1, 2, 0)]
    assert check_gpu("GPU0") == ""


def test_status_tells_of_the_cluster(client: httpx.Client) -> None:
    v2, v1 = client.get("/api/status").json(), client.get("/human/v1/api/status").json()
    assert v2["nodes"][0]["alive"] and v2["nodes"] == v1["nodes"]
    assert v2["timestamp"].endswith("Z") and "." not in v1["timestamp"]
    assert 0 < v2["memory_used"] < v2["memory_total"] and isinstance(v2["gpus"], list)
