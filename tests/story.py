"""A story's way through the API, for the tests that need one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

SEGMENT_S = 90


def token_of(client: httpx.Client) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


@contextmanager
def notifications(client: httpx.Client, query: str = "", prefix: str = "") -> Iterator[ClientConnection]:
    url = str(client.base_url).replace("http", "ws", 1).rstrip("/")
    with connect(f"{url}{prefix}/ws/notifications?token={token_of(client)}{query}") as socket:
        yield socket


def next_message(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(socket.recv(timeout=SEGMENT_S))


def new_task(client: httpx.Client, **fields: Any) -> int:
    answer = client.post("/api/task/new", json={"topic": "A little fox learns to share"} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["task_id"]


def execute(client: httpx.Client, task_id: int, segment: int) -> str:
    """The job's id."""
    answer = client.post(f"/api/task/{task_id}/execute/{segment}")
    assert answer.status_code == 202, answer.text
    return answer.json()["celery_task_id"]


def wait(client: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    """The job's events until its end."""
    with client.stream("GET", f"/v1/jobs/{job_id}/events", timeout=SEGMENT_S) as answer:
        assert answer.status_code == 200, answer.read()
        return [json.loads(line[5:]) for line in answer.iter_lines() if line.startswith("data:")]


def run(client: httpx.Client, task_id: int, *segments: int) -> None:
    for segment in segments:
        assert wait(client, execute(client, task_id, segment))[-1]["state"] == "completed"
