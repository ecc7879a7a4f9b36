"""A segment that is executed again: it is made anew, what came after it is forgotten, what came before stays."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.conftest import Cluster
from tests.story import execute, new_task, next_message, notifications, run, wait
from tests.test_cancel import folder


def redo(client: httpx.Client, task_id: int, segment: object, answer: str = "true") -> httpx.Response:
    return client.post(f"/api/task/{task_id}/execute/{segment}", params={"redo": answer})


def progress(client: httpx.Client, task_id: int) -> tuple[int, str]:
    told = client.get(f"/api/task/{task_id}/progress").json()
    return told["current_segment"], told["status"]


def contents(place: Path) -> dict[str, str]:
    """Digests by path, of what is there."""
    files = [path for path in place.rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def told(user: httpx.Client) -> int:
    """A story that is complete."""
    task_id = new_task(user)
    run(user, task_id, 1, 2, 3, 4, 5)
    return task_id


def test_what_is_redone_is_new_and_what_follows_is_forgotten(cluster: Cluster, user: httpx.Client, told: int) -> None:
    place = folder(cluster, told)
    before = contents(place)
    with notifications(user) as socket:
        answer = redo(user, told, 2)
        assert (answer.status_code, answer.json()["message"]) == (202, "Execution queued")
        assert redo(user, told, 2).status_code == 409  # it is being redone
        wait(user, answer.json()["celery_task_id"])
        message = next_message(socket)
    assert (message["type"], message["segment_id"]) == ("segment_finished", 2)
    after = contents(place)
    assert after["script_data.json"] == before["script_data.json"]
    assert after["image/p1.png"] != before["image/p1.png"]
    assert {path for path in after if not path.startswith(".work")} == {
        "script_data.json",
        "image/p1.png",
        "image/p2.png",
    }
    works = {path.split("/")[1] for path in after if path.startswith(".work")}
    assert works == {answer.json()["celery_task_id"]}
    assert progress(user, told) == (2, "completed")
    for later in (3, 4, 5):
        assert user.get(f"/api/task/{told}/resource", params={"segmentId": later}).status_code == 409
    assert redo(user, told, 4).status_code == 409
    run(user, told, 3, 4, 5)
    assert progress(user, told) == (5, "completed")


def test_the_first_and_the_last_can_be_redone(cluster: Cluster, user: httpx.Client, told: int) -> None:
    before = contents(folder(cluster, told))
    wait(user, redo(user, told, 5).json()["celery_task_id"])
    assert progress(user, told) == (5, "completed")
    after = contents(folder(cluster, told))
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"output.mp4", "output.srt"}
    wait(user, redo(user, told, 1).json()["celery_task_id"])
    assert progress(user, told) == (1, "completed")
    assert contents(folder(cluster, told)).keys() == {"script_data.json"}


def test_a_redo_that_is_cancelled_can_be_executed_again(cluster: Cluster, user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1, 2, 3)
    job = redo(user, task_id, 2).json()["celery_task_id"]
    user.delete(f"/v1/jobs/{job}")
    wait(user, job)
    assert progress(user, task_id) == (1, "failed")
    assert user.get(f"/api/task/{task_id}/resource", params={"segmentId": 2}).status_code == 409
    run(user, task_id, 2)
    assert len(list((folder(cluster, task_id) / ".work").iterdir())) == 1


def test_what_a_failed_job_had_made_is_forgotten_too(cluster: Cluster, user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1, 2, 3, 4)
    place = folder(cluster, task_id)
    in_the_way = place / "output.srt" / "folder"
    in_the_way.mkdir(parents=True)
    assert wait(user, execute(user, task_id, 5))[-1]["state"] == "failed"
    assert (place / "output.mp4").exists()
    in_the_way.rmdir()
    in_the_way.parent.rmdir()
    wait(user, redo(user, task_id, 3).json()["celery_task_id"])
    assert {path.split("/")[0] for path in contents(place)} == {".work", "image", "script_data.json"}


def test_what_was_never_executed_is_executed_in_order(user: httpx.Client) -> None:
    task_id = new_task(user)
    assert redo(user, task_id, 2).status_code == 409
    assert redo(user, task_id, 6).status_code == 404
    assert redo(user, task_id, 1, answer="perhaps").status_code == 422
    assert progress(user, task_id) == (0, "pending")
    wait(user, redo(user, task_id, 1).json()["celery_task_id"])
    assert progress(user, task_id) == (1, "completed")
    assert user.post(f"/api/task/{task_id}/execute/1").status_code == 409


def test_another_users_segment_is_not_found(user: httpx.Client, new_user: Callable[[], httpx.Client]) -> None:
    task_id = new_task(user)
    execute(user, task_id, 1)
    assert redo(new_user(), task_id, 1).status_code == 404


@pytest.mark.parametrize("path", ["/api/task/{}/execute/1", "/api/videogen/{}/execute"])
def test_a_film_can_be_made_again(cluster: Cluster, user: httpx.Client, path: str) -> None:
    from tests.test_story_refusals import picture

    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    small = {"width": 320, "height": 180, "fps": 12, "duration": 2}
    body = small | {"prompt_image_data_uri": picture(640, 360)}
    wait(user, user.post(f"/api/videogen/{task_id}/execute", json=body).json()["celery_task_id"])
    before = contents(folder(cluster, task_id))
    assert len(before) == 2
    assert user.post(path.format(task_id), json=small).status_code == 409
    again = user.post(path.format(task_id), params={"redo": "true"}, json=small)
    assert wait(user, again.json()["celery_task_id"])[-1]["state"] == "completed"
    after = contents(folder(cluster, task_id))
    assert after.keys() == {"output.mp4"}
    assert after["output.mp4"] != before["output.mp4"]
