"""What the digital human refuses, in its own words.

Forms with HTTP 200, as v2's client wants it, under /human/v1 with 400 or 404; uploads and lists with 400, details and
files with 404.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from api.human.parameters import Parameters, parse
from api.human.training import SHORTEST_S
from contracts.avatar import EARS
from contracts.errors import InvalidInput
from tests.conftest import Cluster, sign_up
from tests.media import film, picture, sound, speech, talkie
from training.avatar.config import ALIASES, SETTABLE, config_of
from training.avatar.preparation.preflight import LEAST_S

HTML = b"<html><script>alert(1)</script></html>"
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as entries:
    entries.writestr("a.txt", "a")
BROKEN_SOUNDS = {
    "empty": b"",
    "a WAV of nothing": speech()[:44],
    "a PNG as HTML": HTML,
    "HTML as a PNG": b"\x89PNG\r\n\x1a\n" + HTML,
    "a picture": picture(),
    "an MP3 that is a zip": b"ID3\x03\x00\x00\x00\x00\x00\x00" + ARCHIVE.getvalue(),
}
VIDEO: dict[str, str] = {"model_name": "SyncTalk", "gpu_choice": "GPU0", "target_text": "你好"}
LEAVING = [
    "../../etc/passwd",
    "static/../../x.wav",
    "..\\..\\x.wav",
    "C:\\x.wav",
    "file:///etc/passwd",
    ".hidden",
    "a\0b",
]


def refused(answer: httpx.Response, named: str, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == "error" and named in body["message"]
    return body


def refuses(client: httpx.Client, path: str, form: dict[str, str], named: str, v1: int = 400) -> None:
    for prefix, status in (("", 200), ("/human", 200), ("/human/v1", v1)):
        assert refused(client.post(prefix + path, data=form), named, status).keys() == {"status", "message"}


@pytest.fixture(scope="module")
def film_bytes() -> bytes:
    return talkie(speech(), 5.0)


@pytest.fixture(scope="module")
def user(cluster: Cluster) -> Iterator[httpx.Client]:
    """One for all: what is refused leaves nothing behind."""
    with httpx.Client(base_url=cluster.url, timeout=60) as client:
        sign_up(cluster, client)
        yield client


@pytest.fixture(scope="module")
def brought(user: httpx.Client, film_bytes: bytes) -> dict[str, str]:
    """A caller's own recording and film."""
    voice = user.post("/api/upload-reference-audio", files={"audio": ("a.wav", speech())}).json()
    video = user.post("/api/upload-training-video", files={"video": ("a.mp4", film_bytes)}).json()
    return {"voice": voice["relative_path"], "film": video["relative_path"]}


@pytest.mark.parametrize("content", BROKEN_SOUNDS.values(), ids=BROKEN_SOUNDS)
def test_sounds(client: httpx.Client, content: bytes) -> None:
    files = {"audio": ("a.wav", content)}
    for prefix in ("", "/human", "/human/v1"):
        refused(client.post(f"{prefix}/api/upload-reference-audio", files=files), "audio", 400)
    for path in ("/save_audio", "/chat_system"):
        refused(client.post(path, files=files), "audio", 200)
        refused(client.post(f"/human/v1{path}", files=files), "audio", 400)


def test_films(client: httpx.Client, film_bytes: bytes) -> None:
    for content in (b"", HTML, picture(), speech(), film_bytes[: len(film_bytes) // 2]):
        refused(client.post("/api/upload-training-video", files={"video": ("a.mp4", content)}), "video", 400)
    refused(client.post("/api/upload-training-video", files={"audio": ("a.mp4", film_bytes)}), "video", 400)
    refused(client.post("/api/upload-training-video", data={"video": "a"}), "video", 400)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model_name": "GAN"}, "model_name"),
        ({"model_name": "../../etc/passwd"}, "model_name"),
        ({"model_param": "models/GAN/x"}, "model_param"),
        ({"gpu_choice": "GPU99"}, "gpu_choice"),
        ({"gpu_choice": "GPUx"}, "gpu_choice"),
        ({"gpu_choice": "GPU-1"}, "gpu_choice"),
        ({"gpu_choice": "0"}, "gpu_choice"),
        ({"target_text": ""}, "target_text"),
        ({"target_text": " ", "model_name": "ER-NeRF"}, "target_text"),
        ({"target_text": "长" * 2_001}, "target_text"),
        ({"target_text": "……"}, "target_text"),
        ({"pitch": "high"}, "pitch"),
        ({"pitch": "nan"}, "pitch"),
        ({"pitch": "99"}, "pitch"),
        *(({"model_param": path}, "model_param") for path in LEAVING),
        *(({"ref_audio": path}, "ref_audio") for path in LEAVING),
    ],
)
def test_films_that_cannot_be(user: httpx.Client, change: dict[str, str], named: str) -> None:
    refuses(user, "/video_generation", VIDEO | change, named)


def test_voices_and_files_that_are_not_there(user: httpx.Client) -> None:
    refuses(user, "/video_generation", VIDEO | {"ref_audio_id": "nobody"}, "ref_audio_id", 404)
    refuses(user, "/video_generation", VIDEO | {"speaker_id": "no\0body"}, "speaker_id", 404)
    refuses(user, "/video_generation", VIDEO | {"ref_audio": "static/voices/ref_voices/none.wav"}, "ref_audio", 404)
    refuses(user, "/video_generation", VIDEO | {"ref_audio": "generated_stories/1/a.wav"}, "ref_audio", 404)
    refuses(user, "/audio_clone", {"audio_id": "nobody", "generate_text": "你好"}, "audio_id", 404)
    refuses(user, "/chat_system", {"api_choice": "nobody"}, "api_choice")
    refuses(user, "/chat_system", {"voice_clone": "film"}, "voice_clone")
    refuses(user, "/chat_system", {}, "录音", 404)


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({}, "original_audio_path"),
        ({"audio_id": "me"}, "original_audio_path"),
        ({"original_audio_path": "{voice}"}, "audio_id"),
        ({"original_audio_path": "{voice}", "audio_id": "a/b"}, "audio_id"),
        ({"original_audio_path": "{voice}", "audio_id": "a\nb"}, "audio_id"),
        ({"original_audio_path": "{voice}", "audio_id": "x" * 65}, "audio_id"),
        ({"original_audio_path": "{film}", "audio_id": "me"}, "original_audio_path"),
        ({"generate_text": "长" * 2_001}, "generate_text"),
        ({"generate_text": "。！？"}, "generate_text"),
        ({"original_audio_path": "{voice}", "audio_id": "me", "consent": "意" * 201}, "consent"),
        *(({"original_audio_path": path, "audio_id": "me"}, "original_audio_path") for path in LEAVING),
    ],
)
def test_voices_that_cannot_be(user: httpx.Client, brought: dict[str, str], form: dict[str, str], named: str) -> None:
    refuses(user, "/audio_clone", {name: value.format(**brought) for name, value in form.items()}, named)


def test_a_voice_of_half_a_second(user: httpx.Client) -> None:
    files = {"audio": ("short.wav", sound("wav", "pcm_s16le", 16_000, 0.5))}
    path = user.post("/api/upload-reference-audio", files=files).json()["relative_path"]
    refuses(user, "/audio_clone", {"original_audio_path": path, "audio_id": "short"}, "original_audio_path")
    refuses(user, "/video_generation", VIDEO | {"ref_audio": path}, "ref_audio")
    assert user.get("/api/cloned-audios").json()["audios"] == []


def test_a_sound_that_is_no_voice(user: httpx.Client) -> None:
    files = {"audio": ("silence.wav", sound("wav", "pcm_u8", 8_000, 2.0))}
    path = user.post("/api/upload-reference-audio", files=files).json()["relative_path"]
    answer = user.post("/audio_clone", data={"original_audio_path": path, "audio_id": "tone"})
    assert answer.status_code == 200
    kept = [voice["id"] for voice in user.get("/api/cloned-audios").json()["audios"]]
    assert kept == (["tone"] if answer.json()["status"] == "success" else [])


TRAINING = {"model_choice": "SyncTalk", "ref_video": "{film}", "gpu_choice": "GPU0", "epoch": "100"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model_choice": "GAN"}, "model_choice"),
        ({"ref_video": ""}, "ref_video"),
        ({"ref_video": "{voice}"}, "ref_video"),
        ({"gpu_choice": "GPU99"}, "gpu_choice"),
        ({"gpu_choice": "GPUx"}, "gpu_choice"),
        ({"epoch": "-1"}, "epoch"),
        ({"epoch": "0"}, "epoch"),
        ({"epoch": "1.5"}, "epoch"),
        ({"epoch": "viele"}, "epoch"),
        ({"epoch": "9" * 30}, "epoch"),
        ({"epoch": "١"}, "epoch"),
        ({"custom_params": "lr"}, "custom_params"),
        ({"custom_params": "lr=0.1,,"}, "custom_params"),
        ({"custom_params": "lr=schnell"}, "lr"),
        ({"custom_params": "lr=nan"}, "lr"),
        ({"custom_params": "lr=-1"}, "lr"),
        ({"custom_params": "lr=0"}, "lr：应大于 0"),
        ({"custom_params": "lr=0.1,lr=0.2"}, "lr"),
        ({"custom_params": "batch_size=0"}, "batch_size"),
        ({"custom_params": "__class__=1"}, "__class__"),
        ({"custom_params": "batch_size=4,unknown=1"}, "unknown"),
        ({"custom_params": '{{"lr": "a"}}'}, "lr"),
        ({"custom_params": '{{"lr": 0.1, "lr": 0.2}}'}, "lr"),
        ({"custom_params": '{{"\\ud800": 1}}'}, "custom_params"),
        ({"custom_params": '{{"\\ud800": 1, "\\ud800": 2}}'}, "custom_params"),
        ({"custom_params": '{{"lr": {{}}}}'}, "lr"),
        ({"custom_params": "{{"}, "custom_params"),
        ({"custom_params": "{{" + '"a":{{' * 900}, "custom_params"),
        *(({"ref_video": path}, "ref_video") for path in LEAVING),
    ],
)
def test_trainings_that_cannot_be(
    user: httpx.Client, brought: dict[str, str], change: dict[str, str], named: str
) -> None:
    form = {name: value.format(**brought) for name, value in (TRAINING | change).items()}
    refuses(user, "/model_training", form, named)
    assert user.get("/api/history/model_training").json()["history"] == []


def test_films_that_say_themselves_that_nothing_can_be_learnt(user: httpx.Client) -> None:
    assert SHORTEST_S == LEAST_S
    for content, named in ((talkie(speech("A little fox."), 3.0), "太短"), (film("mp4", "libx264", 5.0), "没有声音")):
        video = user.post("/api/upload-training-video", files={"video": ("a.mp4", content)}).json()["relative_path"]
        refuses(user, "/model_training", TRAINING | {"ref_video": video}, named)
    assert user.get("/api/history/model_training").json()["history"] == []


@pytest.mark.parametrize(
    ("path", "named", "status"),
    [
        ("/api/model-details/GAN/x", "model_type", 400),
        ("/api/model-details/..%2f/x", "", 404),
        ("/api/model-details/ER-NeRF/nobody", "model_name", 404),
        ("/api/model-details/ER-NeRF/%2e%2e", "", 404),
        ("/api/model-details/ER-NeRF/..%5c..%5cetc", "model_name", 404),
        ("/api/train-status/train_20250101_000000", "task_id", 404),
        ("/api/train-status/a%00b", "task_id", 404),
        ("/video/none.mp4", "视频文件不存在", 404),
        ("/video/..%2f..%2fetc%2fpasswd", "", 404),
        ("/video/.work/x/y.mp4", "视频文件不存在", 404),
        ("/static/audios/input.wav", "", 404),
        ("/static/..%2f..%2fetc%2fpasswd", "", 404),
        ("/static/C:%5cx", "", 404),
        ("/static/a%00b", "", 404),
        ("/static/" + "x" * 600, "", 404),
        ("/static/voices/res_voices/none.wav", "", 404),
    ],
)
def test_what_is_not_there(user: httpx.Client, path: str, named: str, status: int) -> None:
    for prefix in ("", "/human", "/human/v1"):
        answer = user.get(prefix + path)
        assert answer.status_code == status, answer.text
        if "detail" not in answer.json():  # a path that nobody owns
            refused(answer, named, status)


def test_history_of_an_unknown_type(user: httpx.Client) -> None:
    refused(user.get("/api/history/secrets"), "history_type", 404)
    refused(user.get("/human/api/history/secrets"), "history_type", 404)
    assert user.get("/human/v1/api/history/secrets").json() == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/reference-audios", "files"),
        ("/api/training-videos", "files"),
        ("/api/available-models", "models"),
        ("/api/cloned-audios", "audios"),
    ],
)
def test_lists_that_fail_are_empty(client: httpx.Client, path: str, name: str) -> None:
    body = client.get(path, headers={"Authorization": "Bearer x.y.z"})
    assert body.status_code == 401
    assert body.json() == {"status": "error", "message": body.json()["message"], name: [], "total_count": 0}


def test_the_method_and_size_keep_their_status(client: httpx.Client) -> None:
    refused(client.get("/video_generation"), "", 405)
    refused(client.post("/video_generation", content=b"x" * (1 << 20)), "", 200)
    refused(client.post("/human/v1/video_generation", content=b"x" * (1 << 20)), "", 400)


def test_another_callers_things_are_not_found(new_user: Callable[[], httpx.Client], film_bytes: bytes) -> None:
    owner, stranger = new_user(), new_user()
    voice = owner.post("/api/upload-reference-audio", files={"audio": ("a.wav", speech())}).json()["relative_path"]
    video = owner.post("/api/upload-training-video", files={"video": ("a.mp4", film_bytes)}).json()["relative_path"]
    owner.post("/save_audio", files={"audio": ("input.wav", speech())})
    assert (
        owner.post("/audio_clone", data={"original_audio_path": voice, "audio_id": "me"}).json()["status"] == "success"
    )
    started = owner.post("/model_training", data=TRAINING | {"ref_video": video}).json()["task_id"]
    for path in (voice, video, "static/audios/input.wav"):
        assert owner.get(f"/{path}").status_code == 200 and "x-aigc-label" not in owner.get(f"/{path}").headers
        assert stranger.get(f"/{path}").status_code == 404
    refuses(stranger, "/audio_clone", {"original_audio_path": voice, "audio_id": "me"}, "original_audio_path", 404)
    refuses(stranger, "/audio_clone", {"audio_id": "me", "generate_text": "你好"}, "audio_id", 404)
    refuses(stranger, "/video_generation", VIDEO | {"ref_audio_id": "me"}, "ref_audio_id", 404)
    refuses(stranger, "/model_training", TRAINING | {"ref_video": video}, "ref_video", 404)
    refuses(stranger, "/chat_system", {}, "录音", 404)
    assert owner.get(f"/api/train-status/{started}").json()["task_id"] == started
    hidden, none = stranger.get(f"/api/train-status/{started}"), stranger.get("/api/train-status/train_20250101_000000")
    assert (hidden.status_code, hidden.json()) == (none.status_code, none.json()) and hidden.status_code == 404
    assert owner.get("/api/history/model_training").json()["history"][0]["id"] == started
    assert stranger.post(f"/api/training/stop/{started}").status_code == 404
    assert owner.post(f"/api/training/stop/{started}").status_code == 200
    for path in ("/api/reference-audios", "/api/training-videos", "/api/cloned-audios", "/api/history/audio_clone"):
        assert (owner.get(path).json()["total_count"], stranger.get(path).json()["total_count"]) == (1, 0), path


def test_known_parameters() -> None:
    wanted = {"lr": 0.001, "batch_size": 4, "preset": "synctalk_small"}
    text = "lr=0.001, batch_size=4，preset=synctalk_small"
    assert parse(text, "SyncTalk") == parse(json.dumps(wanted), "SyncTalk") == wanted
    assert parse(" ", "SyncTalk") == {}
    for text in ("[1]", "preset=er_nerf", "preset=none", "steps=5,iters=9"):
        with pytest.raises(InvalidInput):
            parse(text, "SyncTalk")


BOUNDS: dict[str, tuple[Any, ...]] = {
    "preset": ("er_nerf", "er_nerf_small"),
    "lr": (1e-6, 1),
    "learning_rate": (1e-6, 1),
    "net_rate": (1e-6, 1),
    "batch_size": (1, 16),
    "steps": (1, 1_000_000),
    "iters": (1, 1_000_000),
    "rays": (64, 262_144),
    "num_rays": (64, 262_144),
    "mouth": (0, 1),
    "ear": EARS,
    "asr_model": EARS,
    "size": (64, 1_024),
    "longest_s": (4, 300),
    "seed": (0, 2**32 - 1),
    "preview_steps": (10, 1_000_000),
    "save_steps": (10, 1_000_000),
    "licence": ("CC0-1.0",),
}


def test_what_is_accepted_can_be_trained_with() -> None:
    """All of it, to its bounds: nothing is refused only once the training has begun."""
    assert BOUNDS.keys() == Parameters.model_fields.keys()
    assert {ALIASES.get(name, name) for name in BOUNDS} == {*SETTABLE, "preset", "steps", "licence"}
    for name, values in BOUNDS.items():
        for value in values:
            config_of("ER-NeRF", 100, parse(json.dumps({name: value}), "ER-NeRF"))
