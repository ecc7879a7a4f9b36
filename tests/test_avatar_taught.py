"""From a film of somebody to the avatar who speaks, on a cluster: through a death, and stopped."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import Cluster, sign_up
from tests.lips import late
from tests.processes import saying
from tests.test_avatar_cluster import is_a_talkie
from tests.waiting import eventually
from training.avatar.synthetic import Take, write_film

ENDS_S, STOPS_S, ASK_S = 280.0, 5.0, 0.5
SMALL = "size=128,save_steps=50,preview_steps=400"
pytest_plugins = ["tests.filmed"]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def someone(
    studio: Cluster, take: Take, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, str]]:
    """A caller, and where a film of eight seconds is."""
    film = tmp_path_factory.mktemp("film") / "me.mp4"
    write_film(take, film)
    with httpx.Client(base_url=studio.url, timeout=170) as client:
        sign_up(studio, client)
        sent = client.post("/api/upload-training-video", files={"video": (film.name, film.read_bytes())})
        yield client, sent.json()["relative_path"]


class Training:
    def __init__(self, client: httpx.Client, film: str, parameters: str) -> None:
        form = {"model_choice": "SyncTalk", "ref_video": film, "gpu_choice": "GPU0", "epoch": "100"}
        form |= {"custom_params": f"{SMALL},{parameters}", "consent": "我同意"}
        self.client, begun = client, client.post("/model_training", data=form).json()
        assert begun["status"] == "success", begun
        self.id = begun["task_id"]

    def told(self) -> dict[str, Any]:
        return dict(self.client.get(f"/api/train-status/{self.id}").json()["data"])

    def reaches(self, step: int) -> None:
        eventually(lambda: self.told()["current_step"] >= step or self.told()["error"], ENDS_S, every_s=ASK_S)
        assert not self.told()["error"]

    def steps_until(self, step: int) -> list[int]:
        """All that are told on the way."""
        told: list[int] = []

        def come() -> bool:
            told.append(int(self.told()["current_step"]))
            return told[-1] >= step

        eventually(come, ENDS_S, every_s=ASK_S)
        return told

    def ended(self) -> dict[str, Any]:
        eventually(lambda: self.told()["state"] in ("completed", "failed"), ENDS_S, every_s=ASK_S)
        return self.told()


def workers(studio: Cluster) -> list[psutil.Process]:
    return saying("ray::RayTrainWorker", studio.process.pid)


def test_an_avatar_is_taught_through_a_death_and_speaks(
    studio: Cluster, someone: tuple[httpx.Client, str], tmp_path: Path
) -> None:
    client, film = someone
    training = Training(client, film, "steps=1000")
    training.reaches(120)
    assert "（视频只有 " in training.told()["message"]
    [worker] = workers(studio)
    worker.kill()
    steps = training.steps_until(300)
    assert min(steps) >= 100, steps  # it goes on from what it had kept
    told = training.ended()
    assert (told["state"], told["error"]) == ("completed", None), told
    assert told["metrics"]["psnr"] >= 22 and told["metrics"]["voice"] >= 0.6, told
    assert abs(told["metrics"]["shuffled"]) < 0.25, told
    preview = client.get(f"/api/train-status/{training.id}/preview")
    assert preview.headers["content-type"] == "image/jpeg"

    path = f"models/SyncTalk/{training.id}"
    assert told["path"] == path == client.get("/api/available-models").json()["models"][0]["path"]
    form = {"model_name": "SyncTalk", "model_param": path, "target_text": "大家好，欢迎来到直播间。"}
    body = client.post("/video_generation", data=form).json()
    assert body["status"] == "success", body
    spoken = client.get(body["video_path"]).content
    is_a_talkie(spoken)
    (tmp_path / "film.mp4").write_bytes(spoken)
    frames, together = late(tmp_path / "film.mp4")
    assert abs(frames) <= 1 and together >= 0.5, (frames, together)


def test_one_that_is_stopped_ends_soon_and_is_no_avatar(studio: Cluster, someone: tuple[httpx.Client, str]) -> None:
    training = Training(*someone, "steps=100000")
    training.reaches(5)
    asked_s = time.monotonic()
    assert training.client.post(f"/api/training/stop/{training.id}").status_code == 200
    eventually(lambda: not workers(studio), STOPS_S)
    assert time.monotonic() - asked_s < STOPS_S and training.ended()["state"] == "failed"
    assert training.id not in training.client.get("/api/available-models").text
