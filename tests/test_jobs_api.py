"""The caller's jobs: listed, followed, cancelled; nobody else's."""

from collections.abc import Callable

import httpx
import pytest

from tests.story import execute, new_task, run, wait


def test_jobs_are_listed_newest_first(user: httpx.Client) -> None:
    task_id = new_task(user)
    run(user, task_id, 1, 2)
    jobs = user.get("/v1/jobs").json()["data"]
    assert [job["kind"] for job in jobs] == ["story.draw", "story.write"]
    assert user.get("/v1/jobs", params={"limit": 1}).json()["data"] == jobs[:1]
    assert user.get("/v1/jobs", params={"before_ms": jobs[0]["created_ms"]}).json()["data"] == jobs[1:]
    assert jobs[0]["progress"] == 1.0
    assert jobs[0]["created_ms"] <= jobs[0]["started_ms"] <= jobs[0]["finished_ms"]


def test_events_tell_a_job_from_its_beginning(user: httpx.Client) -> None:
    job = execute(user, new_task(user), 1)
    states = [event["state"] for event in wait(user, job) if "state" in event]
    assert states == ["queued", "running", "completed"]
    assert [event["state"] for event in wait(user, job) if "state" in event] == states  # and again, afterwards


def test_events_go_on_where_they_broke_off(user: httpx.Client) -> None:
    job = execute(user, new_task(user), 1)
    wait(user, job)
    whole = user.get(f"/v1/jobs/{job}/events").text.split("\r\n\r\n")
    first = next(line.removeprefix("id: ") for line in whole[0].splitlines() if line.startswith("id"))
    rest = user.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": first}).text.split("\r\n\r\n")
    assert rest == whole[1:]
    last = next(line.removeprefix("id: ") for line in whole[-2].splitlines() if line.startswith("id"))
    assert user.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": last}).text == ""  # a browser asks again


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_users_job_is_not_found(new_user: Callable[[], httpx.Client], method: str) -> None:
    owner, other = new_user(), new_user()
    job = execute(owner, new_task(owner), 1)
    answer = other.request(method, f"/v1/jobs/{job}")
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert other.get(f"/v1/jobs/{job}/events").status_code == 404
    assert wait(owner, job)[-1]["state"] == "completed"


def test_who_shows_nothing_has_jobs_of_its_own(client: httpx.Client, user: httpx.Client) -> None:
    job = execute(user, new_task(user), 1)
    assert job not in {row["id"] for row in client.get("/v1/jobs").json()["data"]}
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/events"):
        assert client.get(path).status_code == 404
    assert client.delete(f"/v1/jobs/{job}").status_code == 404


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/x", "/v1/jobs/x/events"])
@pytest.mark.parametrize("shown", [{"Authorization": "Bearer x"}, {"X-API-Key": "troupe_x"}])
def test_who_shows_what_is_not_valid_is_refused(client: httpx.Client, path: str, shown: dict[str, str]) -> None:
    assert client.get(path, headers=shown).status_code == 401


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before_ms=-1", f"before_ms={2**63}"])
def test_odd_pages_are_refused(user: httpx.Client, query: str) -> None:
    assert user.get(f"/v1/jobs?{query}").status_code == 422


def test_a_finished_job_stays_as_it_is(user: httpx.Client) -> None:
    job = execute(user, new_task(user), 1)
    wait(user, job)
    assert user.delete(f"/v1/jobs/{job}").json()["state"] == "completed"


def test_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert ready["ready"] is True
    assert ready["revision"] == "tested"
    assert all(ready["checks"].values())
    page = client.get("/docs").text
    assert "swagger-ui-bundle.js" in page
    assert "https://" not in page  # it works offline
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/task/new", "/story/api/task/new", "/v1/jobs", "/v1/verify", "/readyz"} <= paths.keys()
    assert client.get("/healthz").headers["x-request-id"]
