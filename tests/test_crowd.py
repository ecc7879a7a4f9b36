"""Eight people tell their stories at once: every story ends, and nobody gets anything of another's."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.conftest import Cluster
from tests.story import token_of

PEOPLE = 8
SEGMENTS = range(1, 6)
ENDS_S = 240.0


@dataclass
class Teller:
    """A user, the WebSocket that is open from the first to the last story's end, and what was heard on it."""

    client: httpx.AsyncClient
    socket: ClientConnection
    task_id: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def tell(self) -> None:
        """Each segment as soon as the one before is told to be finished."""
        answer = await self.client.post("/api/task/new", json={"topic": "小兔子学会分享"})
        self.task_id = answer.json()["task_id"]
        self.statuses.append(answer.status_code)
        for segment in SEGMENTS:
            answer = await self.client.post(f"/api/task/{self.task_id}/execute/{segment}")
            self.statuses.append(answer.status_code)
            self.heard.append(json.loads(await self.socket.recv()))

    async def files(self, segment: int) -> dict[str, bytes]:
        """The segment's zip, by the keys that were told."""
        answer = await self.client.get(f"/api/task/{self.task_id}/resource", params={"segmentId": segment})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            keys = self.heard[segment - 1]["resources"]
            assert all(key.startswith(f"generated_stories/{self.task_id}/") for key in keys)
            assert archive.namelist() == [key.rpartition("/")[2] for key in keys]
            return {key: archive.read(key.rpartition("/")[2]) for key in keys}

    async def still_hears(self) -> list[dict[str, Any]]:
        """What came after the last message that was waited for."""
        await self.socket.close()
        return [json.loads(message) async for message in self.socket]


@asynccontextmanager
async def crowd(cluster: Cluster, users: list[httpx.Client]) -> AsyncIterator[list[Teller]]:
    url = cluster.url.replace("http", "ws", 1)
    async with AsyncExitStack() as stack:
        tellers = []
        for user in users:
            headers = {"Authorization": user.headers["Authorization"]}
            client = httpx.AsyncClient(base_url=cluster.url, headers=headers, timeout=60)
            await stack.enter_async_context(client)
            socket = await stack.enter_async_context(connect(f"{url}/ws/notifications?token={token_of(user)}"))
            tellers.append(Teller(client, socket))
        yield tellers


@pytest.mark.timeout(ENDS_S + 60)
async def test_a_crowd(cluster: Cluster, new_user: Callable[[], httpx.Client]) -> None:
    async with crowd(cluster, [new_user() for _ in range(PEOPLE)]) as tellers:
        async with asyncio.timeout(ENDS_S):
            await asyncio.gather(*(teller.tell() for teller in tellers))
        for teller in tellers:
            assert teller.statuses == [200, *[202] * len(SEGMENTS)]
            assert [told(message) for message in teller.heard] == [(teller.task_id, segment) for segment in SEGMENTS]
            progress = await teller.client.get(f"/api/task/{teller.task_id}/progress")
            assert progress.json() == {"current_segment": len(SEGMENTS), "status": "completed"}
        files = [item for teller in tellers for number in (2, 4) for item in (await teller.files(number)).items()]
        assert all((cluster.var / "artifacts" / key).read_bytes() == content for key, content in files)
        assert len({content for _, content in files}) == len(files)
        assert [await teller.still_hears() for teller in tellers] == [[]] * PEOPLE
    assert len({teller.task_id for teller in tellers}) == PEOPLE


def told(message: dict[str, Any]) -> tuple[int, int] | str:
    finished = message["type"] == "segment_finished" and message["status"] == "completed"
    return (message["task_id"], message["segment_id"]) if finished else json.dumps(message)
