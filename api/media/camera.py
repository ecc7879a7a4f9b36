"""A camera, looked at while it films: things and faces of its newest frame, over a WebSocket."""

import asyncio
import itertools
import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from api.callers import Caller
from api.media.faces import person_of
from api.media.frames import Message, Newest, frame_of
from api.sockets import SEND_S, caller_at, deny, seat
from api.state import Here, State
from contracts.engines import Detection, Face
from contracts.errors import ServiceError, Unavailable
from store.faces import Faces
from store.faults import told
from store.galleries import Gallery, Match

router = APIRouter()
GONE = (WebSocketDisconnect, TimeoutError)
GALLERY_S = 5.0  # how old what is known of registered faces may be
MOST_WAIT_S = 5.0  # after a failure of which it is known when to try again
MOST_CAMERAS = 8  # of one caller, at one ingress replica


@router.websocket("/ws/camera")
async def camera(socket: WebSocket, state: Here, token: Annotated[str, Query()] = "") -> None:
    """JPEG frames in, what is seen on each out: `{type: "result", frame, detections, faces, skipped}`.

    Who sends faster than it can be looked at has its newest frame looked at, and is told how many were skipped. What is
    wrong with a frame is `{type: "error", frame, message, skipped}`, and the connection goes on.
    """
    try:
        caller = await caller_at(socket, state, token)
        seen = Seen(state, caller)
        with seat(caller, "camera", MOST_CAMERAS):
            await Watch(socket, seen).run()
    except ServiceError as error:
        await deny(socket, error)


class Seen:
    """What the default models of things and faces see; one of the two will do."""

    def __init__(self, state: State, caller: Caller) -> None:
        self.state, self.caller = state, caller
        self.detection: Detection | None = next(iter(state.engines.detections.values()), None)
        self.face: Face | None = next(iter(state.engines.faces.values()), None)
        if not (self.detection or self.face):
            raise Unavailable("本集群没有启用目标检测或人脸识别模型，请在 serve_config.yaml 的 models 里启用后重试。")
        self.likeness = state.models.known[self.face.model].likeness if self.face else 1.0
        self.gallery, self.read_s = Gallery([], [], np.empty((0, 0), np.float32)), -GALLERY_S

    async def of(self, picture: bytes) -> dict[str, Any]:
        """Both have ended by then, also when one has failed: calls of one frame do not run on beside the next's."""
        looks = self._detections(picture), self._faces(picture)
        found = await asyncio.gather(*looks, return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return dict(zip(("detections", "faces"), found, strict=True))

    async def _detections(self, picture: bytes) -> list[dict[str, Any]]:
        found = await self.detection.detect(picture) if self.detection else []
        return [each.model_dump() for each in found]

    async def _faces(self, picture: bytes) -> list[dict[str, Any]]:
        """Each with who it is: `face_id` and `name` as `recognize` tells them."""
        found = await self.face.find(picture, embed=True) if self.face else []
        matches = await asyncio.to_thread(self._matches, [each.vector for each in found]) if found else []
        told = zip(found, matches, strict=True)
        return [each.model_dump(exclude={"vector"}) | person_of(match, self.likeness) for each, match in told]

    @told()
    def _matches(self, vectors: list[list[float]]) -> list[Match | None]:
        """By the registered faces as they were a few seconds ago."""
        if self.face and time.monotonic() > self.read_s + GALLERY_S:
            faces = Faces(self.state.database)
            self.gallery = faces.gallery(self.caller.owners, self.face.model, len(vectors[0]))
            self.read_s = time.monotonic()
        return self.gallery.nearest(vectors)


class Watch:
    """One connection: messages are received all the time, and looked at one after another."""

    def __init__(self, socket: WebSocket, seen: Seen) -> None:
        self.socket, self.seen, self.newest = socket, seen, Newest()

    async def run(self) -> None:
        """Accept, and look until the other side leaves."""
        await self.socket.accept()
        tasks = [asyncio.create_task(each) for each in (self._look(), self._receive())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, GONE):
                raise error

    async def _receive(self) -> None:
        """Take whatever comes and answer nothing: so nothing piles up behind a sender who does not listen."""
        for count in itertools.count(1):
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self.newest.put(Message(message.get("bytes") or message.get("text") or "", count))
            await asyncio.sleep(0)  # thousands of tiny ones come at once, and others wait for their turn

    async def _look(self) -> None:
        while True:
            message, skipped = await self.newest.take()
            number = message.count
            try:
                frame = frame_of(message)
                number = frame.number
                await self._say("result", number, skipped, await self.seen.of(frame.picture))
            except ServiceError as error:
                await self._say("error", number, skipped, {"message": error.message})
                await asyncio.sleep(min(error.retry_after_s or 0, MOST_WAIT_S))

    async def _say(self, kind: str, number: int, skipped: int, what: dict[str, Any]) -> None:
        """Who does not take it in time is gone."""
        message = {"type": kind, "frame": number, "skipped": skipped, **what}
        async with asyncio.timeout(SEND_S):  # `wait_for` forgets that it was cancelled when all is sent by then
            await self.socket.send_json(message)
