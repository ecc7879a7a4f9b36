"""WebSockets and their worst clients: nothing is left of who is gone, and nobody takes more than a share."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.app import build
from api.callers import Caller
from api.rates import CROWD
from api.sockets import MOST_LISTENERS, _open, seat
from contracts.errors import Overloaded
from tests.trainings import Trainer, Workshop
from tests.waiting import eventually

pytest_plugins = ["tests.workshop"]


@pytest.fixture
def training(sockets: str, trainer: Trainer) -> str:
    return f"{sockets}/ws/training?token={trainer.key}"


def status_of(url: str, **headers: str) -> int:
    """Of who is refused; who is let in has 101."""
    try:
        with connect(url, additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_who_is_given_up_by_the_server_leaves_nothing(
    server: uvicorn.Server, training: str, workshop: Workshop
) -> None:
    """As when it ends, and waits no longer for those who stay."""
    listeners = workshop.state.feed._listeners
    with connect(training):
        eventually(lambda: len(listeners) == 1)
        for task in list(server.server_state.tasks):
            task.get_loop().call_soon_threadsafe(task.cancel)
        eventually(lambda: not listeners and not _open)


def test_who_chats_and_who_is_cut_off_leave_nothing(training: str, workshop: Workshop) -> None:
    listeners = workshop.state.feed._listeners
    with connect(training) as quiet, connect(training, compression=None) as loud:
        eventually(lambda: len(listeners) == 2)
        for _ in range(2_000):
            loud.send("x")
        loud.send("x" * (8 << 20))
        loud.socket.close()
        eventually(lambda: len(listeners) == 1)
        quiet.close()
    eventually(lambda: not listeners and not _open)


def test_one_caller_has_so_many_listeners(training: str, sockets: str, workshop: Workshop) -> None:
    other = workshop.trainer()
    with ExitStack() as many:
        opened: list[ClientConnection] = [many.enter_context(connect(training)) for _ in range(MOST_LISTENERS)]
        assert status_of(training) == 429
        assert status_of(f"{sockets}/ws/training?token={other.key}") == 101
        opened[0].close()
        eventually(lambda: status_of(training) == 101)
    eventually(lambda: not _open)


def visitors(number: int) -> Iterator[Caller]:
    """Who shows nothing that is kept: another cookie each time."""
    return (Caller(f"cookie:{each}", address="address:1") for each in range(number))


def test_a_new_cookie_is_no_way_round() -> None:
    with ExitStack() as many:
        for visitor in visitors(3 * CROWD):
            many.enter_context(seat(visitor, "test", 3))
        with pytest.raises(Overloaded), seat(Caller("cookie:next", address="address:1"), "test", 3):
            pass
        many.enter_context(seat(Caller("key:1"), "test", 3))
        many.enter_context(seat(Caller("cookie:next", address="address:2"), "test", 3))
    assert not _open


@pytest.mark.parametrize("path", ["/ws/training", "/media/ws/training", "/ws/camera", "/ws/converse"])
def test_pages_of_others_do_not_see_what_belongs_to_the_address(sockets: str, trainer: Trainer, path: str) -> None:
    """No browser asks us before a page opens a socket, and it shows no cookie of ours from there."""
    with httpx.Client(base_url=sockets.replace("ws", "http", 1)) as browser:
        browser.get("/api/datasets")
        cookie = f"troupe_caller={browser.cookies['troupe_caller']}"
    let_in = 101 if "training" in path else 503  # no model is served here
    url, theirs = f"{sockets}{path}", "https://example.org"
    assert status_of(url, Origin=theirs) == status_of(url, Origin="null") == 403
    assert status_of(url, Origin=sockets.replace("ws", "http", 1)) == let_in
    assert status_of(url, Origin=theirs, Cookie=cookie) == let_in
    assert status_of(f"{url}?token={trainer.key}", Origin=theirs) == let_in


def test_nobody_looks_where_no_model_is_served(sockets: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(f"{sockets}/ws/camera"):
        pass
    assert refused.value.response.status_code == 503
    assert "models" in json.loads(refused.value.response.body or b"")["detail"]


@pytest.mark.parametrize("allowed", [["https://example.org"], ["*"]])
def test_operators_let_front_ends_of_other_origins_in(workshop: Workshop, allowed: list[str]) -> None:
    settings = workshop.state.settings.model_copy(update={"cors_origins": allowed})
    visitor = TestClient(build(replace(workshop.state, settings=settings)))
    with visitor.websocket_connect("/ws/training", headers={"Origin": "https://example.org"}):
        pass
    if allowed != ["*"]:
        with pytest.raises(WebSocketDenialResponse) as refused:
            visitor.websocket_connect("/ws/training", headers={"Origin": "https://example.com"}).__enter__()
        assert "cors_origins" in json.loads(refused.value.content)["detail"]
