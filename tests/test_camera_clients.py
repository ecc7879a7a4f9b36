"""Cameras and their worst clients, at an API of its own with a real finder of faces in the same process."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import websockets
from fastapi import WebSocket
from starlette.types import Message

from api.app import build
from api.callers import Caller
from api.media.camera import Seen, Watch
from api.media.frames import MOST_BYTES
from api.sockets import _open
from api.state import Engines, State
from contracts.catalog import models
from contracts.errors import Overloaded
from contracts.sight import Detected, SeenFace
from deployments.face.engine import FaceEngine
from deployments.registry import load
from deployments.upright import upright
from tests.listening import address_of, listening
from tests.photographs import encoded, photograph
from tests.trainings import Workshop
from tests.waiting import soon

pytest_plugins = ["tests.workshop"]
CAT = encoded(photograph("chelsea"))


class Beside:
    """An engine in a thread, asked as one of the cluster is."""

    def __init__(self, engine: FaceEngine) -> None:
        self.engine, self.model, self.busy = engine, "mtcnn", 0

    async def find(self, picture: bytes, embed: bool = False) -> list[SeenFace]:
        self.busy += 1
        try:
            return await asyncio.to_thread(lambda: self.engine.find([upright(picture)], embed)[0])
        finally:
            self.busy -= 1


class Full:
    """As replicas that have all that they can take."""

    model = "full"

    async def detect(self, picture: bytes) -> list[Detected]:
        raise Overloaded("请求过多。", retry_after_s=60)


@pytest.fixture(scope="module")
def face() -> Beside:
    return Beside(load(models()["mtcnn"]))


@pytest.fixture(scope="module")
def state(workshop: Workshop, face: Beside) -> State:
    return replace(workshop.state, engines=Engines(faces={"mtcnn": face}))


@pytest.fixture(scope="module")
def url(state: State) -> Iterator[str]:
    with listening(build(state)) as server:
        yield f"{address_of(server)}/ws/camera"


async def heard(camera: websockets.ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        answer: dict[str, Any] = json.loads(await camera.recv())
    return answer


async def test_a_huge_message_is_refused_and_the_connection_goes_on(url: str) -> None:
    async with websockets.connect(url) as camera:
        for message in (b"\xff\xd8" + bytes(MOST_BYTES), "[" + "1," * (4 << 20)):
            await camera.send(message)
            answer = await heard(camera)
            assert (answer["type"], "2 MB" in answer["message"]) == ("error", True)
        await camera.send(CAT)
        assert (await heard(camera))["type"] == "result"


async def test_a_camera_that_is_cut_off_leaves_nothing(url: str, face: Beside) -> None:
    camera = await websockets.connect(url)
    await camera.send(CAT)
    await soon(lambda: face.busy)
    camera.transport.abort()
    await soon(lambda: not _open and not face.busy)


async def test_a_failure_is_told_at_once(state: State, face: Beside) -> None:
    """And not after the pause that follows it."""
    engines = Engines(faces={"mtcnn": face}, detections={"full": Full()})
    with listening(build(replace(state, engines=engines))) as server:
        async with websockets.connect(f"{address_of(server)}/ws/camera") as camera:
            await camera.send(CAT)
            assert (await heard(camera))["message"] == "请求过多。"


async def test_what_was_asked_of_a_frame_has_ended_when_the_next_is_looked_at(state: State, face: Beside) -> None:
    """Else one model that fails at once would have the other asked for more and more frames at the same time."""
    engines = Engines(faces={"mtcnn": face}, detections={"full": Full()})
    seen = Seen(replace(state, engines=engines), Caller("key:1"))
    with pytest.raises(Overloaded):
        await seen.of(CAT)
    assert not face.busy


async def test_registered_faces_that_cannot_be_read_are_a_failure_of_the_frame(
    state: State, workshop: Workshop, url: str
) -> None:
    var = workshop.state.settings.var
    async with websockets.connect(url) as camera:
        workshop.state.database.engine.dispose()
        away = var.rename(var.with_name("away"))
        try:
            await camera.send(encoded(photograph("astronaut")))
            answer = await heard(camera)
        finally:
            away.rename(var)
        assert (answer["type"], "存储" in answer["message"]) == ("error", True)
        await camera.send(CAT)
        assert (await heard(camera))["type"] == "result"


def socket_of(texts: list[str], send: Callable[[Message], Awaitable[None]]) -> tuple[WebSocket, asyncio.Queue[Message]]:
    """A socket, and what of these messages has yet to be taken from it."""
    came: asyncio.Queue[Message] = asyncio.Queue()
    came.put_nowait({"type": "websocket.connect"})
    for text in texts:
        came.put_nowait({"type": "websocket.receive", "text": text})
    return WebSocket({"type": "websocket", "headers": []}, came.get, send), came


async def test_who_does_not_listen_is_read_all_the_same(state: State) -> None:
    """Else what it sends would pile up behind the answer that it does not take."""

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()

    socket, came = socket_of(["x"] * 1_000, send)
    watching = asyncio.create_task(Watch(socket, Seen(state, Caller("key:1"))).run())
    await soon(came.empty, 5)
    watching.cancel()
    await asyncio.wait([watching])


async def test_who_is_given_up_while_it_is_answered_is_let_go_of(state: State) -> None:
    """As Serve does when a client leaves: just then, who answers must not take the sending for all that happened."""

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            asyncio.get_running_loop().call_soon(watching.cancel)

    socket, _ = socket_of(["x"], send)
    watching = asyncio.create_task(Watch(socket, Seen(state, Caller("key:1"))).run())
    _, pending = await asyncio.wait([watching], timeout=5)
    assert not pending and watching.cancelled()
