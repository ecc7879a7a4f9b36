"""Fifty clients of all families at once: nobody is answered with a fault, nobody is given what is another's."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from tests.conftest import Cluster, sign_up
from tests.media import speech

CLIENTS, AT_ONCE_S = 50, 60.0
SIGNED_UP = 10  # of them, with accounts of their own; the others keep cookies
CLONE_EVERY = 5  # a clone takes a second of a core


@dataclass
class Client:
    number: int
    http: httpx.AsyncClient
    everybodys: set[str]  # what was made at this address without a cookie
    statuses: list[int] = field(default_factory=list)
    sold: bool = False
    cloned: bool = False

    async def ask(self, method: str, path: str, **given: object) -> httpx.Response:
        answer = await self.http.request(method, path, **given)  # type: ignore[arg-type]
        self.statuses.append(answer.status_code)
        return answer

    async def sells(self) -> None:
        if self.sold:
            return
        self.sold = True
        name = f"脚本 {self.number}"
        await self.ask("POST", "/api/scripts", json={"name": name})
        names = {script["name"] for script in (await self.ask("GET", "/live/api/scripts")).json()["data"]}
        assert names - self.everybodys == {name}
        product = {"productName": f"保温杯{self.number}号", "features": ["保温"], "price": str(100 + self.number)}
        copy = (await self.ask("POST", "/api/product/generate-script", json=product)).json()
        assert product["productName"] in copy["data"]["scriptContent"]

    async def speaks(self) -> None:
        """Its own recording, and its own voice."""
        recording = speech(f"This is number {self.number}, and nobody else. " * 2)
        saved = await self.ask("POST", "/save_audio", files={"audio": ("input.wav", recording)})
        assert saved.json()["status"] == "success", saved.text
        heard = await self.ask("GET", "/static/audios/input.wav")
        assert heard.content == recording
        voice = f"speaker_{self.number}"
        if self.number % CLONE_EVERY == 0 and not self.cloned:
            self.cloned = True
            cloned = {"original_audio_path": "static/audios/input.wav", "audio_id": voice}
            answer = await self.ask("POST", "/audio_clone", data=cloned, headers={"Prefer": "respond-async"})
            assert answer.json()["status"] == "success", answer.text
        voices = (await self.ask("GET", "/human/api/cloned-audios")).json()["audios"]
        assert {each["id"] for each in voices} - self.everybodys <= {voice}

    async def tells(self) -> None:
        task = (await self.ask("POST", "/api/task/new", json={"topic": f"小兔子 {self.number}"})).json()["task_id"]
        await self.ask("POST", f"/story/api/task/{task}/execute/1")
        assert task in (await self.ask("GET", "/api/task/mytasks")).json()["task_ids"]
        await self.ask("GET", f"/api/task/{task}/progress")

    async def looks(self) -> None:
        for path in ("/api/status", "/human/v1/api/history/audio_clone", "/api/models/tts", "/v1/jobs"):
            json.loads((await self.ask("GET", path)).content)

    async def live(self, until_s: float) -> None:
        does: list[Callable[[], Awaitable[None]]] = [self.looks, self.speaks, self.sells]
        if self.number < SIGNED_UP:
            does.append(self.tells)
        turn = self.number
        while time.monotonic() < until_s:
            await does[turn % len(does)]()
            turn += 1


def made_by_nobody(cluster: Cluster) -> set[str]:
    with httpx.Client(base_url=cluster.url, timeout=60) as nobody:
        scripts = nobody.get("/api/scripts").json()["data"]
        voices = nobody.get("/api/cloned-audios").json()["audios"]
    return {script["name"] for script in scripts} | {voice["id"] for voice in voices}


async def test_fifty_clients_of_all_families(cluster: Cluster) -> None:
    accounts = [httpx.Client(base_url=cluster.url, timeout=60) for _ in range(SIGNED_UP)]
    shown = [sign_up(cluster, account) for account in accounts]
    everybodys = made_by_nobody(cluster)
    clients = []
    for number in range(CLIENTS):
        headers = {"Authorization": f"Bearer {shown[number]}"} if number < SIGNED_UP else {}
        http = httpx.AsyncClient(base_url=cluster.url, timeout=120, headers=headers)
        await http.get("/v1/jobs")  # a cookie, where there is no account
        clients.append(Client(number, http, everybodys))
    await asyncio.gather(*(client.live(time.monotonic() + AT_ONCE_S) for client in clients))
    statuses = [status for client in clients for status in client.statuses]
    assert len(statuses) > 10 * CLIENTS
    assert not [status for status in statuses if status >= 500]
    for client in clients:
        await client.http.aclose()
    for account in accounts:
        account.close()
