"""Every route: without a token, with one that is not valid, with another caller's, with a key that may not."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import build
from api.models import Models
from api.state import Engines, make
from contracts.settings import Settings
from store.database import Database
from store.keys import Keys, Role
from tests.conftest import Cluster
from tests.story import execute, new_task, wait

OPEN = {"/healthz", "/readyz", "/api/register", "/api/login", "/api/refresh", "/api/task/workflow"}
OPEN |= {"/api/models/tts", "/api/models/local", "/audio/{name}", "/api/text-to-image/models", "/outputs/{path:path}"}
OPEN |= {f"/{folder}/{{name:path}}" for folder in ("video", "static/videos/res_videos", "static/voices/res_voices")}
NAMED = {"/v1/webhooks/secret"}
ADMIN = {"/v1/keys", "/v1/keys/{key_id}"}


def routes() -> list[tuple[str, str, str]]:
    """Method, path and family of each, but for FastAPI's own pages."""
    app = build(make(Settings(var=Path("/nonexistent")), Models([], {}, False), Engines()))
    found = [route for route in app.routes if isinstance(route, APIRoute) and route.tags]
    return sorted((sorted(route.methods)[0], route.path, str(route.tags[0])) for route in found)


ROUTES = routes()


def bare(path: str) -> str:
    """Without its family's prefix."""
    return re.sub("^/(story|live|media|human/v1|human)/", "/", path)


def ask(client: httpx.Client, method: str, path: str, **shown: str) -> httpx.Response:
    path = re.sub(r"\{.+?\}", "1", path)
    query = "?segmentId=1&url=x" if "resource" in path else ""
    return client.request(method, path + query, headers=shown, json={} if method == "POST" else None)


def test_all_are_looked_at() -> None:
    assert len(ROUTES) > 50
    assert {bare(path) for _, path, _ in ROUTES} > OPEN | ADMIN


@pytest.mark.parametrize(("method", "path", "family"), ROUTES)
def test_without_a_token(client: httpx.Client, method: str, path: str, family: str) -> None:
    answer = ask(client, method, path)
    closed = bare(path) in ADMIN | NAMED or (family == "story" and bare(path) not in OPEN)
    assert (answer.status_code == 401) == (closed or bare(path) == "/api/refresh"), answer.text
    assert answer.status_code < 500 or bare(path) == "/chat_system"  # nobody hears yet
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize("shown", [{"Authorization": "Bearer x.y.z"}, {"X-API-Key": "troupe_nobody"}])
@pytest.mark.parametrize(("method", "path", "family"), ROUTES)
def test_with_one_that_is_not_valid(
    client: httpx.Client, method: str, path: str, family: str, shown: dict[str, str]
) -> None:
    if bare(path) not in OPEN:
        assert ask(client, method, path, **shown).status_code == 401


@pytest.fixture(scope="module")
def key(cluster: Cluster) -> Iterator[Callable[[Role], str]]:
    """Makes keys of the cluster's."""
    database = Database(f"sqlite:///{cluster.var}/troupe.db")
    yield lambda role: Keys(database).create("tested", role)[1]
    database.engine.dispose()


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ROUTES if path in ADMIN])
def test_administration_is_for_administrators(
    client: httpx.Client, user: httpx.Client, key: Callable[[Role], str], method: str, path: str
) -> None:
    assert ask(client, method, path, **{"X-API-Key": key("user")}).status_code == 403
    assert ask(user, method, path).status_code == 403
    assert ask(client, method, path, **{"X-API-Key": key("admin")}).status_code in (200, 404, 422)


def test_a_key_is_made_and_revoked(client: httpx.Client, key: Callable[[Role], str]) -> None:
    admin = {"Authorization": f"Bearer {key('admin')}"}
    made = client.post("/v1/keys", json={"name": "shop"}, headers=admin).json()
    mine = {"X-API-Key": made["key"]}
    client.post("/api/scripts", json={"name": "of the key"}, headers=mine)
    assert [each["name"] for each in client.get("/api/scripts", headers=mine).json()["data"]] == ["of the key"]
    listed = client.get("/v1/keys", headers=admin).json()["data"]
    assert made["id"] in [each["id"] for each in listed] and not any("key" in each for each in listed)
    assert client.delete(f"/v1/keys/{made['id']}", headers=admin).json() == {"deleted": True}
    assert client.get("/api/scripts", headers=mine).status_code == 401


def test_another_callers_things_are_not_found(new_user: Callable[[], httpx.Client]) -> None:
    owner, stranger = new_user(), new_user()
    task, script = new_task(owner), owner.post("/api/scripts", json={"name": "mine"}).json()["data"]["id"]
    job = execute(owner, task, 1)
    wait(owner, job)
    own = {"{task_id}": str(task), "{job_id}": job, "{segment_id}": "1"}
    for method, path, family in ROUTES:
        if family not in ("story", "cluster") or not any(name in path for name in own):
            continue
        for name, value in own.items():
            path = path.replace(name, value)
        path += "?segmentId=1" if path.endswith("resource") else ""
        assert stranger.request(method, path, json={} if method == "POST" else None).status_code == 404, path
    taken = stranger.get("/api/resource", params={"url": f"generated_stories/{task}/script_data.json"})
    assert taken.status_code == 404
    assert stranger.post("/api/scripts", json={"id": script, "name": "taken"}).json()["code"] == 0
    assert [each["name"] for each in owner.get("/api/scripts").json()["data"]] == ["mine"]
    assert stranger.get("/api/scripts").json()["data"] == []
    assert owner.get(f"/api/task/{task}/progress").json() == {"current_segment": 1, "status": "completed"}
