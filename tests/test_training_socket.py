"""The progress of trainings over a WebSocket: documented messages, of the caller's own trainings."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection
from starlette.testclient import WebSocketDenialResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.app import build
from contracts.human import TRAIN
from contracts.jobs import Job
from contracts.platform import CLASSIFIER, LORA
from jobs.jobs import new_id
from store.database import now_ms
from tests.conftest import Cluster
from tests.media import speech, talkie
from tests.story import token_of
from tests.trainings import FIGURES, Trainer, Workshop

pytest_plugins = ["tests.workshop"]
SOON_S, QUIET_S = 30, 1.0  # a poll of the log takes 0.2 s
Opened = Callable[..., ClientConnection]


@pytest.fixture
def opened(sockets: str, trainer: Trainer) -> Any:
    """Opens sockets of a trainer's, or of who shows these headers."""
    with ExitStack() as open_ones:

        def make(query: str = "", prefix: str = "", key: str = trainer.key, **headers: str) -> ClientConnection:
            shown = f"token={key}&" if key else ""
            url = f"{sockets}{prefix}/ws/training?{shown}{query}"
            return open_ones.enter_context(connect(url, additional_headers=headers))

        yield make


def heard(socket: ClientConnection, most: int) -> list[dict[str, Any]]:
    return [json.loads(socket.recv(timeout=SOON_S)) for _ in range(most)]


def is_quiet(socket: ClientConnection) -> bool:
    try:
        return not socket.recv(timeout=QUIET_S)
    except TimeoutError:
        return True


def status(task_id: str, word: str) -> dict[str, Any]:
    return {"type": "status", "data": {"task_id": task_id, "status": word}}


def error(task_id: str, message: str) -> dict[str, Any]:
    return {"type": "error", "data": {"task_id": task_id, "message": message}}


@pytest.mark.parametrize("prefix", ["", "/media"])
@pytest.mark.parametrize(
    ("kind", "fields", "word"),
    [
        (CLASSIFIER, {}, "train"),
        (LORA, {}, "lora"),
        (LORA, {"quantized": True}, "qlora"),
        (TRAIN, {"task_id": "train_20250102_030405"}, ""),
    ],
)
def test_a_training_is_followed(
    opened: Opened, trainer: Trainer, prefix: str, kind: str, fields: dict[str, Any], word: str
) -> None:
    socket, records = opened(prefix=prefix), trainer.state.jobs.records
    job_id = trainer.running(kind, **fields)
    task_id = f"{word}_{job_id}" if word else fields["task_id"]
    records.report(job_id, 0.1, "")
    records.report(job_id, 0.45, "", FIGURES)
    records.complete(job_id, {"figures": FIGURES})
    metrics = {"loss": 0.0234, "accuracy": 0.92, "f1_score": 0.89}
    assert heard(socket, 5) == [
        status(task_id, "processing"),
        status(task_id, "running"),
        {"type": "progress", "data": {"task_id": task_id, "progress": 10, "metrics": {}}},
        {"type": "progress", "data": {"task_id": task_id, "progress": 45, "metrics": metrics}},
        status(task_id, "completed"),
    ]


def test_a_failure_is_told_twice(opened: Opened, trainer: Trainer) -> None:
    """As a status, and with its reason."""
    failed, stopped = trainer.running(), trainer.queued(LORA)
    socket = opened()
    trainer.state.jobs.records.fail(failed, "内存不足")
    task_id = f"train_{failed}"
    assert heard(socket, 2) == [status(task_id, "failed"), error(task_id, "内存不足")]
    trainer.http.post(f"/api/training/stop/lora_{stopped}")
    task_id = f"lora_{stopped}"
    assert heard(socket, 2) == [status(task_id, "failed"), error(task_id, "已取消")]


def test_what_was_missed_can_be_asked_for(opened: Opened, trainer: Trainer) -> None:
    task_id = f"train_{trainer.completed()}"
    words = ["processing", "running", "completed"]
    assert heard(opened("since=0"), 3) == [status(task_id, word) for word in words]
    assert is_quiet(opened(f"since={now_ms() + 1}")) and is_quiet(opened())


def test_some_trainings_can_be_picked(opened: Opened, trainer: Trainer) -> None:
    jobs = [trainer.running() for _ in range(3)]
    first, _, third = (f"train_{job}" for job in jobs)
    one, two = opened(f"task_id={third}"), opened(f"task_id={first}&task_id={third}")
    none = opened("task_id=train_001")
    for job in jobs:
        trainer.state.jobs.records.complete(job, {})
    assert heard(one, 1) == [status(third, "completed")]
    assert heard(two, 2) == [status(first, "completed"), status(third, "completed")]
    assert is_quiet(one) and is_quiet(two) and is_quiet(none)


def test_nobody_hears_of_anothers(opened: Opened, trainer: Trainer, workshop: Workshop) -> None:
    other = workshop.trainer()
    socket = opened("since=0", key=other.key)
    task_id = f"train_{trainer.completed()}"
    named = opened(f"since=0&task_id={task_id}", key=other.key)
    assert is_quiet(socket) and is_quiet(named)


def test_other_jobs_are_not_told_of(opened: Opened, trainer: Trainer) -> None:
    socket = opened("since=0")
    records = trainer.state.jobs.records
    records.create(Job(id=new_id(), kind="live.speak", owner=trainer.owner, params={}), "speech/1")
    assert is_quiet(socket)


def test_a_browser_is_known_by_its_cookie_and_its_address(
    opened: Opened, sockets: str, trainer: Trainer, workshop: Workshop
) -> None:
    with httpx.Client(base_url=sockets.replace("ws", "http", 1)) as browser:
        browser.get("/api/datasets")
        cookie = f"troupe_caller={browser.cookies['troupe_caller']}"
    anonymous = {name: caller.owner for name, caller in _callers(workshop, cookie).items()}
    theirs = {name: replace(trainer, owner=owner).completed() for name, owner in anonymous.items()}
    with_cookie, without = opened("since=0", key="", Cookie=cookie), opened("since=0", key="")
    told = {message["data"]["task_id"] for message in heard(with_cookie, 6)}
    assert told == {f"train_{job_id}" for job_id in theirs.values()}
    assert {message["data"]["task_id"] for message in heard(without, 3)} == {f"train_{theirs['address']}"}
    assert is_quiet(with_cookie) and is_quiet(without)


def _callers(workshop: Workshop, cookie: str) -> dict[str, Any]:
    """Who opens a socket from here, with this cookie and without."""
    anonymous = workshop.state.callers._anonymous
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": []}
    with_cookie = scope | {"headers": [(b"cookie", cookie.encode())]}
    return {"cookie": anonymous(HTTPConnection(with_cookie)), "address": anonymous(HTTPConnection(scope))}


def test_programs_show_their_key_in_a_header(opened: Opened, trainer: Trainer) -> None:
    task_id = f"train_{trainer.completed()}"
    for headers in ({"Authorization": f"Bearer {trainer.key}"}, {"X-API-Key": trainer.key}):
        assert heard(opened("since=0", key="", **headers), 3)[-1] == status(task_id, "completed")


@pytest.mark.parametrize("prefix", ["", "/media"])
def test_who_shows_what_is_not_valid_is_refused(opened: Opened, prefix: str) -> None:
    for key in ("nonsense", "troupe_nonsense"):
        with pytest.raises(InvalidStatus) as refused:
            opened(prefix=prefix, key=key)
        assert refused.value.response.status_code == 401


def test_nobody_in_particular_is_refused_where_keys_are_required(workshop: Workshop, trainer: Trainer) -> None:
    closed = workshop.state.settings.model_copy(update={"require_key": True})
    visitor = TestClient(build(replace(workshop.state, settings=closed)))
    with pytest.raises(WebSocketDenialResponse) as refused, visitor.websocket_connect("/ws/training"):
        pass
    assert refused.value.status_code == 401 and "密钥" in refused.value.json()["detail"]
    with visitor.websocket_connect(f"/ws/training?token={trainer.key}"):
        pass


@pytest.mark.parametrize("query", ["since=-1", "since=x", f"since={2**63}", f"task_id={'x' * 129}", "task_id=x&" * 101])
def test_queries_that_are_none(opened: Opened, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(query)
    assert refused.value.response.status_code == 403


def test_what_a_worker_does_is_heard_through_the_cluster(cluster: Cluster, user: httpx.Client) -> None:
    video = user.post("/api/upload-training-video", files={"video": ("a.mp4", talkie(speech(), 5.0))}).json()
    url = cluster.url.replace("http", "ws", 1)
    with connect(f"{url}/ws/training?token={token_of(user)}") as socket:
        form = {"ref_video": video["relative_path"], "model_choice": "SyncTalk", "epoch": "3"}
        task_id = user.post("/model_training", data=form).json()["task_id"]
        told = heard(socket, 4)
    assert [message["data"].get("status") for message in told] == ["processing", "running", "failed", None]
    assert {message["data"]["task_id"] for message in told} == {task_id}
    reason = user.get(f"/api/train-status/{task_id}").json()["data"]["error"]
    assert reason and told[-1] == error(task_id, reason)
    answer = user.get(f"/api/training/status/{task_id}").json()
    assert (answer["task_id"], answer["status"], answer["total_epochs"]) == (task_id, "failed", 3)
