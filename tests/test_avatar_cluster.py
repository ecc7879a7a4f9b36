"""A digital human's conversation on a cluster: a recorded question in, a film of the avatar who answers out."""

import io
from collections.abc import Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from api.paths import home
from contracts.settings import Settings
from store.artifacts import Artifacts
from tests.avatars import keep
from tests.checkpoints.whisper import PHRASE
from tests.conftest import Cluster, sign_up
from tests.conversing import of, talking
from tests.lips import late
from tests.media import speech
from tests.test_converse_cluster import question
from tests.test_human import owner_of

APART_S = 0.04
PATH = "models/ER-NeRF/train_20260101_000000"


@pytest.fixture(scope="module")
def own(studio: Cluster) -> Iterator[httpx.Client]:
    """A caller who has an avatar."""
    with httpx.Client(base_url=studio.url, timeout=170) as client:
        sign_up(studio, client)
        files, owner = Artifacts(Settings(var=studio.var)), owner_of(studio, client)
        keep(files, f"{home(owner)}/{PATH}", owner)
        yield client


def is_a_talkie(content: bytes) -> None:
    """Sound and picture begin and end together, and the picture moves."""
    with av.open(io.BytesIO(content)) as container:
        assert all(float(stream.start_time * stream.time_base) < APART_S for stream in container.streams)
        frames = [(float(frame.time or 0), frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(content)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        sounds_s = samples / container.streams.audio[0].rate
    assert np.allclose(np.diff([time_s for time_s, _ in frames]), 0.04, atol=1e-3)
    assert abs(len(frames) / 25 - sounds_s) < APART_S + 1_024 / 44_100  # an encoder pads its last block
    assert np.abs(frames[0][1].astype(int) - frames[len(frames) // 2][1]).max() > 0


def test_a_recorded_question_is_answered_by_the_avatar_that_ships(own: httpx.Client, tmp_path: Path) -> None:
    form = {"model_name": "SyncTalk", "model_param": "", "api_choice": ""}
    answer = own.post("/chat_system", data=form, files={"audio": ("input.wav", speech())})
    body = answer.json()
    assert body["status"] == "success", body
    assert body["message"] == "对话生成成功" and "x-troupe-model" not in answer.headers
    assert body["response"]
    film = own.get(body["video_path"]).content
    is_a_talkie(film)
    (tmp_path / "film.mp4").write_bytes(film)
    frames, together = late(tmp_path / "film.mp4")
    assert abs(frames) <= 1 and together >= 0.5, (frames, together)
    [record] = own.get("/api/history/chat_system").json()["history"]
    assert (record["result"]["heard"], record["result"]["rendered"]) == (PHRASE, "avatar")
    shipped = {f"models/{model}/starter" for model in ("SyncTalk", "ER-NeRF")}
    assert shipped < {each["path"] for each in own.get("/api/available-models").json()["models"]}


def test_ones_own_avatar_says_a_text(own: httpx.Client) -> None:
    form = {"model_name": "ER-NeRF", "model_param": f"/{PATH}", "target_text": "你好"}
    body = own.post("/video_generation", data=form).json()
    assert (body["status"], body["message"]) == ("success", "视频生成成功")
    is_a_talkie(own.get(body["video_path"]).content)
    [record] = own.get("/api/history/video_generation").json()["history"]
    assert record["parameters"]["model_param"] == PATH


def test_another_callers_avatar_speaks_for_nobody_else(studio: Cluster, own: httpx.Client) -> None:
    assert PATH in [each["path"] for each in own.get("/api/available-models").json()["models"]]
    with httpx.Client(base_url=studio.url, timeout=60) as stranger:
        assert PATH not in [each["path"] for each in stranger.get("/api/available-models").json()["models"]]
        form = {"model_name": "ER-NeRF", "model_param": PATH, "target_text": "你好"}
        refused = stranger.post("/video_generation", data=form).json()
        assert refused["status"] == "error" and "model_param" in refused["message"]


async def test_an_avatar_is_seen_while_its_answer_is_made(studio: Cluster, own: httpx.Client) -> None:
    token = own.headers["Authorization"].removeprefix("Bearer ")
    async with talking(f"{studio.url.replace('http', 'ws')}/ws/converse?token={token}") as talker:
        ready = await talker.begin(frames=True, language="zh", model_name="ER-NeRF", model_param=PATH)
        assert ready["frames"] == "avatar", ready
        messages = await talker.ask(question())
    assert messages[-1]["type"] == "done"
    frames, sounds = of("frame", messages), of("audio", messages)
    assert messages.index(frames[0]) < messages.index(sounds[0])
    assert messages[-1]["duration_s"] - frames[-1]["start_s"] < 0.3
    assert all(each["content"].startswith(b"\xff\xd8") and b"AIGC" in each["content"] for each in frames)
