"""A job that is stopped while its engine works: the engine stops, and nothing of the job comes back."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import Cluster
from tests.processes import replica
from tests.story import execute, new_task, run, wait
from tests.waiting import eventually

STOPS_S = 1.0


@pytest.fixture
def rendering(user: httpx.Client) -> tuple[int, str]:
    """A task whose film is being rendered, and the job."""
    task_id = new_task(user)
    run(user, task_id, 1, 2, 3, 4)
    job = execute(user, task_id, 5)
    eventually(lambda: user.get(f"/v1/jobs/{job}").json()["progress"] > 0)
    return task_id, job


def is_idle(process: psutil.Process) -> bool:
    return process.cpu_percent(interval=0.2) < 50  # a render takes more than a core


def test_cancelling_stops_the_engine_within_a_second(
    cluster: Cluster, user: httpx.Client, rendering: tuple[int, str]
) -> None:
    task_id, job = rendering
    engine = replica(cluster, "film")
    assert not is_idle(engine)
    asked = time.monotonic()
    assert user.delete(f"/v1/jobs/{job}").json()["state"] == "cancelled"
    eventually(lambda: is_idle(engine))
    assert time.monotonic() - asked < STOPS_S + 0.5  # half a second is the measuring
    eventually(lambda: user.get(f"/v1/jobs/{job}").json()["finished_ms"] is not None)
    assert wait(user, job)[-1]["state"] == "cancelled"
    assert user.get(f"/api/task/{task_id}/progress").json() == {"current_segment": 4, "status": "failed"}
    assert not list(folder(cluster, task_id).rglob("output.mp4"))


def test_a_task_that_is_deleted_while_it_works_stays_deleted(
    cluster: Cluster, user: httpx.Client, rendering: tuple[int, str]
) -> None:
    task_id, _ = rendering
    engine = replica(cluster, "film")
    assert not is_idle(engine)
    assert seen(cluster, user, task_id) == (True, 200)
    asked = time.monotonic()
    assert user.delete(f"/api/task/{task_id}").json() == {"deleted": True}
    assert seen(cluster, user, task_id) == (False, 404)
    eventually(lambda: is_idle(engine))
    assert time.monotonic() - asked < STOPS_S + 0.5
    assert user.delete(f"/api/task/{task_id}").status_code == 404
    assert seen(cluster, user, task_id) == (False, 404)
    assert user.get("/v1/jobs").json() == {"data": []}


def test_pages_under_way_do_not_come_back(cluster: Cluster, new_user: Callable[[], httpx.Client]) -> None:
    client = new_user()
    for _ in range(3):
        task_id = new_task(client)
        run(client, task_id, 1)
        job = execute(client, task_id, 2)
        eventually(lambda job=job: client.get(f"/v1/jobs/{job}").json()["state"] == "running")
        client.delete(f"/api/task/{task_id}")
        assert not folder(cluster, task_id).exists()
    run(client, new_task(client), 1, 2)  # whatever was still under way has ended before this
    assert len(client.get("/api/task/mytasks").json()["task_ids"]) == 1
    assert len(list((cluster.var / "artifacts" / "generated_stories").iterdir())) >= 1
    assert not folder(cluster, task_id).exists()


def test_a_refused_videogen_keeps_no_upload(cluster: Cluster, user: httpx.Client) -> None:
    from tests.test_story_refusals import picture

    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    body = {"prompt_image_data_uri": picture(640, 360), "width": 320, "height": 180, "fps": 12, "duration": 2}
    first = user.post(f"/api/videogen/{task_id}/execute", json=body)
    second = user.post(f"/api/videogen/{task_id}/execute", json=body)
    assert (first.status_code, second.status_code) == (202, 409)
    events = wait(user, first.json()["celery_task_id"])
    assert events[-1]["state"] == "completed"
    fractions = [event["progress"] for event in events if "progress" in event]
    assert fractions == sorted(fractions)
    assert len(list((folder(cluster, task_id) / ".uploads").iterdir())) == 1


def seen(cluster: Cluster, client: httpx.Client, task_id: int) -> tuple[bool, int]:
    """Whether a task has files, and how its progress is answered."""
    return folder(cluster, task_id).exists(), client.get(f"/api/task/{task_id}/progress").status_code


def folder(cluster: Cluster, task_id: int) -> Path:
    return cluster.var / "artifacts" / "generated_stories" / str(task_id)
