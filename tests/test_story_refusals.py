"""What the story family refuses, each in its own envelope; nothing of it is kept."""

import base64
import io
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import Cluster
from tests.story import execute, new_task, notifications, run, token_of, wait

MIB = 1 << 20


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def assert_refused(answer: httpx.Response, status: int, about: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["detail"] and isinstance(answer.json()["detail"], str)
    assert about in answer.json()["detail"]
    assert not any(word in answer.text for word in ("Traceback", "ray::", "sqlite", ".py"))


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ({}, "topic"),
        ({"topic": ""}, "topic"),
        ({"topic": " \n\t"}, "topic"),
        ({"topic": "字" * 2001}, "topic"),
        ({"topic": None}, "topic"),
        ({"topic": 7}, "topic"),
        ({"topic": ["a"]}, "topic"),
        ({"topic": "a\0b"}, "topic"),
        ({"topic": "a", "main_role": "r" * 501}, "main_role"),
        ({"topic": "a", "scene": {}}, "scene"),
        ({"topic": "a", "workflow_version": "../x"}, "workflow_version"),
        ({"topic": "a" * 20_001, "workflow_version": "videogen"}, "topic"),
        ([], ""),
        ("topic", ""),
        (None, ""),
    ],
)
def test_new_task_refuses(user: httpx.Client, body: Any, about: str) -> None:
    assert_refused(user.post("/api/task/new", json=body), 422, about)
    assert user.get("/api/task/mytasks").json() == {"task_ids": []}


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"topic": "a"', b"\xff\xfe", b'{"topic": "\\ud800"}', b"[" * 100_000, b"NaN"]
)
def test_broken_json_is_refused(user: httpx.Client, content: bytes) -> None:
    answer = user.post("/api/task/new", content=content, headers={"Content-Type": "application/json"})
    assert_refused(answer, 422)


@pytest.mark.parametrize(
    "topic", ["🦊", "字" * 2000, "../../etc/passwd", "{hero} %s {{x}} \\n", "a\u202eb", "<b>&amp;"]
)
def test_odd_topics_become_stories(user: httpx.Client, topic: str) -> None:
    task_id = new_task(user, topic=topic)
    run(user, task_id, 1)
    assert len(user.get(f"/api/task/{task_id}/resource?segmentId=1").json()["pages"]) == 2


@pytest.mark.parametrize("path", ["/api/task/new", "/story/api/task/new", "/api/register", "/v1/verify"])
def test_a_body_of_30_mb_is_refused(user: httpx.Client, path: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * MIB

    headers = {"Content-Type": "application/json"}
    announced = user.post(path, content=b" " * (30 * MIB), headers=headers)
    unannounced = user.post(path, content=chunks(), headers=headers)
    for answer in (announced, unannounced):
        assert_refused(answer, 422 if path == "/v1/verify" else 413)
    assert user.get("/api/task/mytasks").status_code == 200


def test_segments_run_in_their_order(user: httpx.Client) -> None:
    task_id = new_task(user)
    task = f"/api/task/{task_id}"
    assert_refused(user.post(f"{task}/execute/2"), 409)
    for unknown in (0, 6, -1):
        assert_refused(user.post(f"{task}/execute/{unknown}"), 404)
    assert_refused(user.get(f"{task}/resource?segmentId=1"), 409)
    assert_refused(user.get(f"{task}/resource?segmentId=9"), 404)
    run(user, task_id, 1)
    assert_refused(user.post(f"{task}/execute/1"), 409)
    assert user.get(f"{task}/progress").json() == {"current_segment": 1, "status": "completed"}


def test_a_segment_runs_once_at_a_time(user: httpx.Client) -> None:
    task_id = new_task(user)
    job = execute(user, task_id, 1)
    wait(user, job)
    running = execute(user, task_id, 2)
    assert_refused(user.post(f"/api/task/{task_id}/execute/2"), 409)
    wait(user, running)


def test_a_cancelled_segment_is_failed_and_can_be_executed_again(user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1)
    with notifications(user) as socket_:
        job = execute(user, task_id, 2)
        assert user.delete(f"/v1/jobs/{job}").json()["state"] == "cancelled"
        message = json.loads(socket_.recv(timeout=10))
    assert message == {
        "type": "segment_failed",
        "task_id": task_id,
        "segment_id": 2,
        "status": "failed",
        "error": "已取消",
    }
    assert user.get(f"/api/task/{task_id}/progress").json() == {"current_segment": 1, "status": "failed"}
    run(user, task_id, 2)


def test_a_deleted_task_leaves_nothing(cluster: Cluster, user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1)
    execute(user, task_id, 2)
    assert user.delete(f"/api/task/{task_id}").json() == {"deleted": True}
    assert_refused(user.delete(f"/api/task/{task_id}"), 404)
    assert not (cluster.var / "artifacts" / "generated_stories" / str(task_id)).exists()
    assert user.get("/v1/jobs").json() == {"data": []}
    assert new_task(user) != task_id


@pytest.mark.parametrize(
    "url",
    ["../../etc/passwd", "/etc/passwd", "generated_stories/../../keys/signing.key", "..\\x", "", "a\0b", "%2e%2e/x"],
)
def test_paths_stay_in_the_store(user: httpx.Client, url: str) -> None:
    assert_refused(user.get("/api/resource", params={"url": url}), 404)


def test_names_stay_in_the_segment(user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1)
    for name in ("../script_data.json", "output.mp4", "", "script_data.json\0", "p1.png"):
        answer = user.get(f"/api/task/{task_id}/resource", params={"segmentId": 1, "name": name})
        assert_refused(answer, 404)


@pytest.mark.parametrize("task_id", ["0", "-1", "99999999", "9" * 30, "-" + "9" * 30])
def test_unknown_tasks_are_not_found(user: httpx.Client, task_id: str) -> None:
    assert_refused(user.get(f"/api/task/{task_id}/progress"), 404)


@pytest.mark.parametrize(
    ("body", "status", "about"),
    [
        ({"model": "gen4_turbo"}, 503, "RUNWAYML_API_SECRET"),
        ({"model": "nothing-such"}, 422, "model"),
        ({"model": "painter"}, 422, "model"),
        ({"ratio": "16x9"}, 422, "ratio"),
        ({"ratio": "0:9"}, 422, "ratio"),
        ({"ratio": "\u0660:\u0660"}, 422, "ratio"),
        ({"ratio": "99999:1"}, 422, ""),
        ({"ratio": "16:9", "width": 500, "height": 500}, 422, "ratio"),
        ({"width": 511}, 422, "width"),
        ({"width": 100_000}, 422, "width"),
        ({"fps": 0}, 422, "fps"),
        ({"duration": 1e9}, 422, "duration"),
        ({"prompt": "字" * 20_001}, 422, "prompt"),
        ({"prompt_image_data_uri": "data:image/png;base64,aGVsbG8="}, 422, "prompt_image_data_uri"),
        ({"prompt_image_data_uri": "https://example.org/a.png"}, 422, "prompt_image_data_uri"),
        ({"prompt_image_data_uri": picture()[:80]}, 422, "prompt_image_data_uri"),
        ({"prompt_image_data_uri": picture(9000, 9000)}, 413, "prompt_image_data_uri"),
        ({"prompt_image_path": "../x.png"}, 422, "prompt_image_path"),
        ({"prompt_image_path": "generated_stories/1/image/p1.png"}, 404, ""),
        ({"prompt_image_path": "/etc/passwd"}, 404, ""),
    ],
)
def test_videogen_refuses_before_anything_is_queued(user: httpx.Client, body: dict, status: int, about: str) -> None:
    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    assert_refused(user.post(f"/api/videogen/{task_id}/execute", json=body), status, about)
    assert user.get("/v1/jobs").json() == {"data": []}
    assert user.get(f"/api/task/{task_id}/progress").json() == {"current_segment": 0, "status": "pending"}


def test_videogen_is_for_videogen_tasks(user: httpx.Client) -> None:
    task_id = new_task(user)
    assert_refused(user.post(f"/api/videogen/{task_id}/execute", json={}), 404)


def test_method_and_path_are_answered_in_the_envelope(client: httpx.Client) -> None:
    assert_refused(client.put("/api/task/workflow"), 405)
    assert_refused(client.get("/story/api/nothing"), 404)
    assert_refused(client.get("/nothing"), 404)


def test_a_socket_without_a_good_token_is_refused(cluster: Cluster) -> None:
    url = cluster.url.replace("http", "ws", 1) + "/ws/notifications"
    for query in ("", "?token=", "?token=a.b.c"):
        with pytest.raises(InvalidStatus) as refused, connect(url + query):
            pass
        assert refused.value.response.status_code == 401


def test_half_open_sockets_harm_nobody(cluster: Cluster, user: httpx.Client) -> None:
    """Some stop in the middle of the handshake, some fall silent after it; others are served."""
    place = urlsplit(cluster.url)
    silent = [socket.create_connection((place.hostname or "", place.port or 0)) for _ in range(20)]
    try:
        for number, half in enumerate(silent):
            request = f"GET /ws/notifications?token={token_of(user)} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            whole = f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n"
            half.sendall((request + (whole if number % 2 else "")).encode())
        with notifications(user) as listener:
            task_id = new_task(user)
            run(user, task_id, 1)
            assert json.loads(listener.recv(timeout=10))["task_id"] == task_id
    finally:
        for half in silent:
            half.close()


def test_an_expired_token_is_told_so_whatever_comes_with_it(user: httpx.Client) -> None:
    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    headers = {"Authorization": "Bearer a.b.c"}
    large = {"prompt_image_data_uri": "data:image/png;base64," + "A" * MIB}
    assert_refused(user.post(f"/api/videogen/{task_id}/execute", json=large, headers=headers), 401)
