"""The main job, as a front end does it: register, log in, five segments, notifications, download."""

import json
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

SEGMENT_S = 600.0
Show = Callable[[float], None]  # told of the progress, 0–1


class Failed(Exception):
    """What the server said."""


def make_film(url: str, topic: str, role: str, scene: str, folder: Path, console: Console) -> Path:
    """The path of the MP4; its subtitles lie beside it."""
    with httpx.Client(base_url=url, timeout=60) as client:
        token = sign_in(client)
        asked = {"topic": topic, "main_role": role or None, "scene": scene or None}
        task_id = ask(client, "POST", "/api/task/new", json=asked)["task_id"]
        websocket = f"{url.replace('http', 'ws', 1)}/ws/notifications?token={token}"
        bars = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
        )
        with connect(websocket) as notifications, bars:
            for segment in ask(client, "GET", "/api/task/workflow"):
                bar = bars.add_task(segment["name"], total=1.0)
                execute(client, notifications, task_id, segment["id"], partial(_show, bars, bar))
        return download(client, task_id, folder)


def _show(bars: Progress, bar: TaskID, done: float) -> None:
    bars.update(bar, completed=done)


def sign_in(client: httpx.Client) -> str:
    """Register, log in, and send the access token with whatever follows."""
    account = {"username": f"demo-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(12)}
    ask(client, "POST", "/api/register", json=account)
    token = str(ask(client, "POST", "/api/login", json=account)["access_token"])
    client.headers["Authorization"] = f"Bearer {token}"
    return token


def execute(client: httpx.Client, notifications: ClientConnection, task_id: int, segment: int, show: Show) -> None:
    """Queue a segment, show its progress, and wait for its notification."""
    job_id = ask(client, "POST", f"/api/task/{task_id}/execute/{segment}")["celery_task_id"]
    follow(client, job_id, show)
    while True:
        try:
            message = json.loads(notifications.recv(timeout=SEGMENT_S))
        except (TimeoutError, ConnectionClosed):
            raise Failed(f"Segment {segment}: the notification did not come.") from None
        if (message["task_id"], message["segment_id"]) == (task_id, segment):
            break
    if message["status"] != "completed":
        raise Failed(f"Segment {segment}: {message['error']}")
    show(1.0)


def follow(client: httpx.Client, job_id: str, show: Show) -> None:
    """The job's events until it ends."""
    with client.stream("GET", f"/v1/jobs/{job_id}/events", timeout=SEGMENT_S) as events:
        events.raise_for_status()
        for line in events.iter_lines():
            if line.startswith("data:"):
                show(json.loads(line[5:]).get("progress", 0.0))


def download(client: httpx.Client, task_id: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"story-{task_id}.mp4"
    for name, target in (("output.mp4", path), ("output.srt", path.with_suffix(".srt"))):
        resource = f"/api/task/{task_id}/resource?segmentId=5&name={name}"
        with client.stream("GET", resource) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                file.write(chunk)
    return path


def ask(client: httpx.Client, method: str, path: str, **arguments: Any) -> Any:
    answer = client.request(method, path, **arguments)
    if answer.is_error:
        raise Failed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
