"""Accounts: what is given out, what is refused, and that both look alike."""

import secrets
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from tests.conftest import Cluster, sign_up

PASSWORD = "secret-123"


@pytest.fixture
def name(client: httpx.Client) -> str:
    name = f"小明-{secrets.token_hex(4)}"
    assert client.post("/api/register", json={"username": name, "password": PASSWORD}).status_code == 200
    return name


def login(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/login", json={"username": name, "password": password})


def test_the_refresh_cookie_is_out_of_reach_of_scripts(client: httpx.Client, name: str) -> None:
    cookie = login(client, name).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; ")) and "Secure" not in cookie
    behind_tls = client.post(
        "/api/login", json={"username": name, "password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in behind_tls.headers["set-cookie"].split("; ")


def test_a_taken_name_is_a_conflict(client: httpx.Client, name: str) -> None:
    answer = client.post("/api/register", json={"username": name, "password": "another-1"})
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])


def test_a_wrong_password_and_an_unknown_name_look_alike(client: httpx.Client, name: str) -> None:
    wrong, unknown = login(client, name, "not-the-one"), login(client, f"nobody-{name}")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_guessing_is_slowed_down(client: httpx.Client, name: str) -> None:
    answers = [login(client, name, "not-the-one") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert login(client, name).status_code == 429  # not even with the right one
    made_up = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7"}
    assert client.post("/api/login", json={"username": name, "password": PASSWORD}, headers=made_up).status_code == 429


def test_guessing_at_once_is_slowed_down_too(client: httpx.Client, name: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: login(client, name, "not-the-one"), range(20))]
    assert sorted(statuses) == [401] * 10 + [429] * 10


def test_logging_in_clears_the_count(client: httpx.Client, name: str) -> None:
    for _ in range(3):
        assert [login(client, name, "not-the-one").status_code for _ in range(6)] == [401] * 6
        assert login(client, name).status_code == 200


@pytest.mark.parametrize("username", ["", " ", "a\nb", "x" * 65, "\ufdfa" * 10, 7, None])
def test_odd_names_are_refused(client: httpx.Client, username: object) -> None:
    answer = client.post("/api/register", json={"username": username, "password": PASSWORD})
    assert (answer.status_code, answer.json()["detail"].startswith("username")) == (422, True)


def test_a_refresh_token_is_good_for_once(client: httpx.Client, name: str) -> None:
    first = login(client, name).cookies["refresh_token"]
    answer = client.post("/api/refresh")
    second = answer.cookies["refresh_token"]
    assert answer.status_code == 200 and second != first
    client.cookies.clear()
    assert client.post("/api/refresh", headers={"Cookie": f"refresh_token={first}"}).status_code == 401
    # whoever used it again may be a thief: the family ends, the newest token too
    assert client.post("/api/refresh", headers={"Cookie": f"refresh_token={second}"}).status_code == 401


@pytest.mark.parametrize("cookie", ["", "refresh_token=", "refresh_token=made-up", f"refresh_token={'x' * 300}"])
def test_no_token_no_refresh(client: httpx.Client, cookie: str) -> None:
    assert client.post("/api/refresh", headers={"Cookie": cookie}).status_code in (401, 422)


def test_passwords_and_tokens_are_not_kept_in_the_clear(cluster: Cluster, client: httpx.Client) -> None:
    sign_up(cluster, client)
    contents = [file.read_bytes() for file in cluster.var.glob("*.db*") if file.is_file()]
    assert not [secret for secret in cluster.secrets for content in contents if secret.encode() in content]
    assert any(b"$argon2id$" in content for content in contents)


def test_the_signing_key_is_its_owners(cluster: Cluster, client: httpx.Client) -> None:
    sign_up(cluster, client)
    for name in ("signing.key", "ray.token"):
        assert stat.S_IMODE((cluster.var / "keys" / name).stat().st_mode) == 0o600


def forged(**claims: object) -> str:
    return jwt.encode({"iss": "troupe", "sub": "1", "exp": time.time() + 60} | claims, "k" * 32, "HS256")


def unsigned() -> str:
    return jwt.encode({"iss": "troupe", "sub": "1", "exp": time.time() + 60}, "", "none")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic YTpi", f"Bearer {forged()}", f"Bearer {unsigned()}", "Bearer a.b.c", "Bearer é"],
)
def test_other_tokens_are_refused(client: httpx.Client, header: str) -> None:
    answer = client.get("/api/task/mytasks", headers={"Authorization": header.encode()})
    assert answer.status_code == 401 and list(answer.json()) == ["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_is_refused(cluster: Cluster, client: httpx.Client) -> None:
    sign_up(cluster, client)
    key = (cluster.var / "keys" / "signing.key").read_text()
    token = jwt.encode({"iss": "troupe", "sub": "1", "exp": time.time() - 1}, key, "HS256")
    answer = client.get("/api/task/mytasks", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
