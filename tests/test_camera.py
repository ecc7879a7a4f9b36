"""A camera over a WebSocket: what is seen on its frames, and what happens when they come too fast."""

import asyncio
import base64
import io
import json
import time
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from PIL import Image
from skimage import data as photographs

from api.media.camera import MOST_CAMERAS
from tests.conftest import Cluster
from tests.processes import replica

SENDERS, FPS, SECONDS = 4, 30, 12
LATEST_S = 4.0  # on a machine that does other things too: two models take turns with four cameras on two cores


def jpeg(array: np.ndarray[Any, Any], side: int = 320) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).resize((side, side)).save(file, "JPEG")
    return file.getvalue()


WOMAN, CAT = jpeg(photographs.astronaut()), jpeg(photographs.chelsea())


def address(cluster: Cluster, prefix: str = "") -> str:
    return f"{cluster.url.replace('http', 'ws')}{prefix}/ws/camera"


@pytest.mark.parametrize("prefix", ["", "/media"])
async def test_faces_are_seen_on_frames(studio: Cluster, prefix: str) -> None:
    async with websockets.connect(address(studio, prefix)) as camera:
        await camera.send(WOMAN)
        first = json.loads(await camera.recv())
        await camera.send(json.dumps({"frame": base64.b64encode(CAT).decode(), "number": 40}))
        second = json.loads(await camera.recv())
    assert (first["type"], first["frame"], first["skipped"]) == ("result", 1, 0)
    (face,) = first["faces"]
    x1, y1, x2, y2 = face["bbox"]
    assert 110 < (x1 + x2) / 2 < 170 and 40 < (y1 + y2) / 2 < 110 and set(face) >= {"confidence", "landmarks"}
    assert (second["frame"], second["faces"]) == (40, []) and isinstance(second["detections"], list)


async def test_registered_faces_are_recognised(studio: Cluster) -> None:
    async with httpx.AsyncClient(base_url=studio.url, timeout=60) as client:
        form, picture = {"name": "艾琳"}, {"image": ("face.jpg", WOMAN)}
        registered = (await client.post("/api/face-recognition/register", data=form, files=picture)).json()
        cookie = f"troupe_caller={client.cookies['troupe_caller']}"
        async with websockets.connect(address(studio), additional_headers={"Cookie": cookie}) as camera:
            await camera.send(WOMAN)
            (face,) = json.loads(await camera.recv())["faces"]
        assert (face["face_id"], face["name"]) == (registered["face_id"], "艾琳")
    async with websockets.connect(address(studio)) as camera:
        await camera.send(CAT)
        assert json.loads(await camera.recv())["faces"] == []


async def test_what_is_wrong_with_a_frame_is_told(studio: Cluster) -> None:
    async with websockets.connect(address(studio)) as camera:
        for sent in ("{", b"GIF89a", WOMAN[: len(WOMAN) // 2], json.dumps({"frame": "?"})):
            await camera.send(sent)
            answer = json.loads(await camera.recv())
            assert answer["type"] == "error" and answer["message"], sent
        await camera.send(WOMAN)
        assert json.loads(await camera.recv())["type"] == "result"


async def test_one_caller_has_so_many_cameras(studio: Cluster) -> None:
    cameras = [await websockets.connect(address(studio)) for _ in range(MOST_CAMERAS)]
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(address(studio))
    assert refused.value.response.status_code == 429
    for camera in cameras:
        await camera.close()
    async with websockets.connect(address(studio)) as camera:
        await camera.send(CAT)
        assert json.loads(await camera.recv())["type"] == "result"


async def film(cluster: Cluster, until_s: float) -> list[tuple[int, float, int]]:
    """Thirty frames a second; of every answer its frame, how old that was by then, and how many were skipped."""
    sent: dict[int, float] = {}
    answers: list[tuple[int, float, int]] = []
    async with websockets.connect(address(cluster)) as camera:

        async def listen() -> None:
            async for message in camera:
                answer = json.loads(message)
                assert answer["type"] == "result", answer
                answers.append((answer["frame"], time.monotonic() - sent[answer["frame"]], answer["skipped"]))

        listening = asyncio.create_task(listen())
        for number in range(1, 10**9):
            if time.monotonic() > until_s:
                break
            sent[number] = time.monotonic()
            await camera.send(WOMAN if number % 2 else CAT)
            await asyncio.sleep(1 / FPS)
        await asyncio.sleep(LATEST_S)
        listening.cancel()
    assert answers[-1][0] == max(sent)  # the newest frame is never the one that is dropped
    return answers


async def test_four_cameras_that_are_too_fast(studio: Cluster) -> None:
    await film(studio, time.monotonic() + 2)  # warm
    ingress = replica(studio, "ingress")
    before = ingress.memory_info().rss
    seen = await asyncio.gather(*(film(studio, time.monotonic() + SECONDS) for _ in range(SENDERS)))
    for answers in seen:
        frames = [frame for frame, _, _ in answers]
        assert frames == sorted(frames) and len(answers) >= 3
        assert max(age for _, age, _ in answers) < LATEST_S
        assert all(later[0] - earlier[0] - 1 == later[2] for earlier, later in pairwise(answers))
    assert ingress.memory_info().rss - before < 64 << 20
