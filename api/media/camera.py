"""A camera, looked at while it films: things and faces of its newest frame, over a WebSocket."""

import asyncio
import itertools
import time
from collections import Counter
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from api.callers import Caller
from api.family import STATUS
from api.media.faces import THRESHOLD, person_of
from api.media.frames import Frame, Newest, frame_of
from api.sockets import SEND_S, caller_at
from api.state import Here, State
from contracts.engines import Detection, Face
from contracts.errors import Overloaded, ServiceError, Unauthenticated, Unavailable
from store.faces import Faces, Gallery, Match

router = APIRouter()
GONE = (WebSocketDisconnect, TimeoutError)
GALLERY_S = 5.0  # how old what is known of registered faces may be
MOST_CAMERAS = 8  # of one caller, at one ingress replica
_cameras: Counter[str] = Counter()


@router.websocket("/ws/camera")
async def camera(socket: WebSocket, state: Here, token: Annotated[str, Query()] = "") -> None:
    """JPEG frames in, what is seen on each out: `{type: "result", frame, detections, faces, skipped}`.

    Who sends faster than it can be looked at has its newest frame looked at, and is told how many were skipped. What is
    wrong with a frame is `{type: "error", frame, message}`, and the connection goes on.
    """
    try:
        caller = await caller_at(socket, state, token)
        seen = Seen(state, caller)
    except (Unauthenticated, Unavailable, Overloaded) as error:
        return await socket.send_denial_response(JSONResponse({"detail": error.message}, STATUS[error.code]))
    _cameras[caller.owner] += 1
    try:
        await socket.accept()
        await Watch(socket, seen).run()
    finally:
        _cameras[caller.owner] -= 1
        if not _cameras[caller.owner]:
            del _cameras[caller.owner]


class Seen:
    """What the default models of things and faces see; one of the two will do."""

    def __init__(self, state: State, caller: Caller) -> None:
        if _cameras[caller.owner] >= MOST_CAMERAS:
            raise Overloaded(f"同时最多连接 {MOST_CAMERAS} 路摄像头。")
        self.state, self.caller = state, caller
        self.detection: Detection | None = next(iter(state.engines.detections.values()), None)
        self.face: Face | None = next(iter(state.engines.faces.values()), None)
        if not (self.detection or self.face):
            raise Unavailable("本集群没有启用目标检测或人脸识别模型，请在 serve_config.yaml 的 models 里启用后重试。")
        self.gallery, self.read_s = Gallery([], [], np.empty((0, 0))), -GALLERY_S

    async def of(self, picture: bytes) -> dict[str, Any]:
        detections, faces = await asyncio.gather(self._detections(picture), self._faces(picture))
        return {"detections": detections, "faces": faces}

    async def _detections(self, picture: bytes) -> list[dict[str, Any]]:
        found = await self.detection.detect(picture) if self.detection else []
        return [each.model_dump() for each in found]

    async def _faces(self, picture: bytes) -> list[dict[str, Any]]:
        """Each with who it is: `face_id` and `name` as `recognize` tells them."""
        found = await self.face.find(picture, embed=True) if self.face else []
        matches = await asyncio.to_thread(self._matches, [each.vector for each in found]) if found else []
        told = zip(found, matches, strict=True)
        return [each.model_dump(exclude={"vector"}) | person_of(match, THRESHOLD) for each, match in told]

    def _matches(self, vectors: list[list[float]]) -> list[Match | None]:
        """By the registered faces as they were a few seconds ago."""
        if self.face and time.monotonic() > self.read_s + GALLERY_S:
            faces = Faces(self.state.database)
            self.gallery = faces.gallery(self.caller.owners, self.face.model, len(vectors[0]))
            self.read_s = time.monotonic()
        return self.gallery.nearest(vectors)


class Watch:
    """One connection: frames are received all the time, and looked at one after another."""

    def __init__(self, socket: WebSocket, seen: Seen) -> None:
        self.socket, self.seen, self.newest, self.saying = socket, seen, Newest(), asyncio.Lock()

    async def run(self) -> None:
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
        for count in itertools.count(1):
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                self.newest.put(frame_of(message.get("bytes") or message.get("text") or "", count))
            except ServiceError as error:
                await self._say({"type": "error", "frame": count, "message": error.message})

    async def _look(self) -> None:
        while True:
            frame, skipped = await self.newest.take()
            await self._say({"frame": frame.number, "skipped": skipped} | await self._seen(frame))

    async def _seen(self, frame: Frame) -> dict[str, Any]:
        try:
            return {"type": "result"} | await self.seen.of(frame.picture)
        except ServiceError as error:
            await asyncio.sleep(error.retry_after_s or 0)
            return {"type": "error", "message": error.message}

    async def _say(self, message: dict[str, Any]) -> None:
        """Who does not take it in time is gone."""
        async with self.saying:
            await asyncio.wait_for(self.socket.send_json(message), SEND_S)
