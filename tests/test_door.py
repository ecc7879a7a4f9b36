"""Who calls, how often, and how much at once, before a route is reached."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api import limits
from api.app import build
from api.live.stream import answered
from api.models import Models
from api.rates import InFlight
from api.state import Engines, State, make
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Overloaded
from contracts.settings import Settings
from graphs.livestream import polish
from jobs import engine
from store.database import Database

pytest_plugins = ["tests.places"]


@pytest.fixture
def open_door(tmp_path: Path) -> Iterator[Callable[..., tuple[State, Callable[..., TestClient]]]]:
    """Makes an API of these settings, and with it clients: each a browser of its own, at an address."""
    states: list[State] = []

    def make_api(**changes: Any) -> tuple[State, Callable[..., TestClient]]:
        settings = Settings(var=tmp_path, min_free_gib=0, **changes)
        Database(settings.tables_url).migrate()
        engine.migrate(settings)
        states.append(make(settings, Models([], {}, False), Engines()))
        app = build(states[-1])
        return states[-1], lambda address="10.0.0.1": TestClient(app, client=(address, 50_000))

    yield make_api
    for state in states:
        state.database.engine.dispose()


def names(client: TestClient, **headers: str) -> list[str]:
    return [script["name"] for script in client.get("/api/scripts", headers=headers).json()["data"]]


def save(client: TestClient, name: str, **headers: str) -> None:
    assert client.post("/api/scripts", json={"name": name}, headers=headers).json()["code"] == 1


def test_a_browser_keeps_what_it_made(open_door: Any) -> None:
    _, client = open_door()
    first, second = client(), client()
    save(first, "before it had a cookie")
    save(first, "with its cookie")
    assert names(first) == ["before it had a cookie", "with its cookie"]
    assert names(second) == ["before it had a cookie"]  # the same address, no cookie yet
    save(second, "of the second")
    assert names(first) == ["before it had a cookie", "with its cookie"]
    assert names(client("10.0.0.2")) == []


def test_the_cookie_is_ours_and_out_of_reach_of_scripts(open_door: Any) -> None:
    _, client = open_door()
    answer = client().get("/api/scripts")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("troupe_caller=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    https = client().get("/api/scripts", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert https.endswith("; Secure")
    forged = client()
    forged.cookies.set("troupe_caller", cookie.split("=")[1].split(";")[0][:-4] + "AAAA")
    save(forged, "of the address")
    assert names(client()) == ["of the address"]
    assert "set-cookie" not in client().get("/healthz").headers


def test_an_access_token_is_no_cookie_and_a_cookie_no_token(open_door: Any) -> None:
    state, client = open_door()
    browser = client()
    browser.cookies.set("troupe_caller", state.tokens.issue(1))
    save(browser, "of the address")
    assert names(client()) == ["of the address"]
    shown = {"Authorization": f"Bearer {state.tokens.issue_cookie()}"}
    assert client().get("/api/scripts", headers=shown).status_code == 401


@pytest.mark.parametrize(
    ("hops", "header", "same"),
    [
        (0, "1.2.3.4", True),  # nobody in front: what the header says is made up
        (1, "1.2.3.4", False),
        (1, "9.9.9.9, 10.0.0.1", True),  # the proxy saw 10.0.0.1; the rest is made up
        (2, "10.0.0.1, 7.7.7.7", True),
    ],
)
def test_forwarded_addresses(open_door: Any, hops: int, header: str, same: bool) -> None:
    _, client = open_door(forwarded_hops=hops)
    at = "127.0.0.1" if hops else "10.0.0.1"
    save(client(at), "mine", **{"X-Forwarded-For": ", ".join(["10.0.0.1", "7.7.7.7"][: max(1, hops)])})
    assert (names(client(at), **{"X-Forwarded-For": header}) == ["mine"]) == same


def test_a_proxy_may_add_a_line_of_its_own(open_door: Any) -> None:
    _, client = open_door(forwarded_hops=1)
    save(client("127.0.0.1"), "mine", **{"X-Forwarded-For": "10.0.0.1"})
    lines = [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "6.6.6.6")]
    answer = client("127.0.0.1").get("/api/scripts", headers=httpx.Headers(lines))
    assert answer.json()["data"] == []


def test_calls_are_counted_by_caller_and_kind(open_door: Any) -> None:
    state, client = open_door(status_limit="3 per minute", generation_limit="2 per minute")
    browser = client()
    assert [browser.get("/v1/jobs").status_code for _ in range(2)] == [200, 200]
    names_left = [browser.get("/live/api/scripts").status_code for _ in range(3)]
    assert names_left == [200, 200, 429]  # the first call had no cookie yet
    refused = browser.get("/api/scripts")
    assert refused.json() == {"code": 0, "msg": "请求过于频繁，请稍后再试。", "data": None}
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert browser.get("/v1/jobs").json() == {"detail": "请求过于频繁，请稍后再试。"}
    _, key = state.keys.create("other", "user")
    assert client().get("/v1/jobs", headers={"X-API-Key": key}).status_code == 200
    assert client("10.0.0.9").get("/v1/jobs").status_code == 200
    assert browser.delete("/v1/jobs/x").status_code == 404  # another kind


def test_new_cookies_buy_no_calls_without_end(open_door: Any) -> None:
    _, client = open_door(generation_limit="2 per minute")
    asked = []
    for _ in range(12):
        browser = client()
        browser.get("/api/scripts")  # a cookie each
        asked += [browser.post("/api/script/polish", json={}).status_code for _ in range(2)]
    assert asked == [200] * 20 + [429] * 4
    assert client("10.0.0.2").post("/api/script/polish", json={}).status_code == 200


def test_without_redis_calls_are_not_counted(open_door: Any) -> None:
    _, client = open_door(limits_url="redis://127.0.0.1:1/0")
    assert client().get("/api/scripts").json()["code"] == 1
    answer = client().post("/api/login", json={"username": "a", "password": "123456"}, headers=ORIGIN)
    assert answer.status_code == 503


def test_a_fault_of_ours_has_the_headers_of_every_answer(open_door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state, client = open_door(cors_origins=["https://shop.example"])
    monkeypatch.setattr(type(state.rates), "hit", lambda *_: 1 / 0)
    answer = client().get("/api/scripts", headers=ORIGIN)
    assert answer.status_code == 500
    assert answer.json() == {"code": 0, "msg": "服务器内部错误", "data": None}
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_route_may_have_a_limit_of_its_own(open_door: Any) -> None:
    _, client = open_door(route_limits={"/api/script/polish": "1 per hour"})
    browser = client()
    browser.get("/v1/jobs")
    asked = [browser.post(f"{prefix}/api/script/polish", json={}).status_code for prefix in ("", "/live", "")]
    assert asked == [200, 429, 429]


def test_limits_are_shared_through_redis(open_door: Any, redis: str) -> None:
    """Two ingress replicas."""
    counted = []
    for _ in range(2):
        state, client = open_door(limits_url=redis, status_limit="2 per minute", signing_key="k" * 48)
        shown = {"Authorization": f"Bearer {state.tokens.issue(1)}"}
        counted += [client().get("/v1/jobs", headers=shown).status_code for _ in range(2)]
    assert counted == [401, 401, 429, 429]  # no such account, but counted


def test_nobody_calls_without_a_key_where_one_is_required(open_door: Any) -> None:
    state, client = open_door(require_key=True)
    assert client().get("/api/scripts").status_code == 401
    assert client().post("/api/register", json={"username": "a", "password": "123456"}).status_code == 401
    assert client().get("/healthz").status_code == 200
    _, key = state.keys.create("shop", "user")
    assert client().get("/api/scripts", headers={"X-API-Key": key}).json()["code"] == 1
    account = {"username": "a", "password": "123456"}
    assert client().post("/api/register", json=account, headers={"X-API-Key": key}).status_code == 200
    token = client().post("/api/login", json=account).json()["access_token"]
    assert client().get("/api/scripts", headers={"Authorization": f"Bearer {token}"}).json()["code"] == 1


ORIGIN = {"Origin": "https://shop.example"}


def test_a_front_end_of_another_origin_may_call(open_door: Any) -> None:
    _, client = open_door(cors_origins=["https://shop.example"], status_limit="1 per minute")
    browser = client()
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = browser.options("/api/scripts", headers=ORIGIN | asked)
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    answers = [browser.get("/api/scripts", headers=ORIGIN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]  # once by address, once by cookie
    for answer in answers:  # a refusal can be read, too
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
    other = browser.get("/healthz", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_any_origin_may_call_without_cookies(open_door: Any) -> None:
    _, client = open_door(cors_origins=["*"])
    headers = client().get("/api/scripts", headers=ORIGIN).headers
    assert headers["access-control-allow-origin"] == "*" and "access-control-allow-credentials" not in headers


async def test_only_so_many_wait_at_once() -> None:
    in_flight = InFlight(2)
    with in_flight.one():
        with in_flight.one(), pytest.raises(Overloaded) as refused, in_flight.one():
            await asyncio.sleep(0)
        assert refused.value.retry_after_s
        with in_flight.one():
            pass


class Waiting:
    """A language model that says a word and then waits for its turn."""

    model = "waiting"

    def __init__(self) -> None:
        self.begun, self.closed = 0, 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.begun += 1
        try:
            yield ChatDelta(text="家人们")
            await asyncio.Event().wait()
        finally:
            self.closed += 1


async def test_a_stream_takes_a_place_like_any_other_call(open_door: Any) -> None:
    """And gives it back when its caller leaves."""
    state, _ = open_door(sync_calls=1)
    chat = Waiting()
    for _ in range(2):
        response = await answered(state, polish("你好", chat), lambda copy: copy, stream=True)
        with pytest.raises(Overloaded):
            await answered(state, polish("你好", chat), lambda copy: copy, stream=True)
        with pytest.raises(Overloaded):
            await answered(state, polish("你好", chat), lambda copy: copy, stream=False)
        async with asyncio.timeout(10):
            await response({"type": "http", "method": "POST"}, left, nowhere)
    assert (chat.begun, chat.closed) == (2, 2)


async def left() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def nowhere(message: Any) -> None:
    pass


@pytest.mark.parametrize("family", ["", "/live"])
async def test_a_body_that_does_not_come_is_a_timeout(
    open_door: Any, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    _, client = open_door()
    monkeypatch.setattr(limits, "BODY_S", 0.05)
    transport = httpx.ASGITransport(client().app)

    async def slow() -> AsyncGenerator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=transport, base_url="http://here") as asking:
        answer = await asking.post(f"{family}/api/script/polish", content=slow())
    assert (answer.status_code, answer.json()["msg"]) == (408, "请求超时")


@pytest.mark.parametrize("path", ["/api/scripts", "/nowhere", "/audio/x.mp3", "/docs"])
def test_answers_carry_security_headers(open_door: Any, path: str) -> None:
    _, client = open_door()
    headers = client().get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert ("sandbox" in headers.get("content-security-policy", "")) == (path != "/docs")
