"""Whatever process of a cluster is killed: its work goes on by itself, and what was finished is not done again."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import av
import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from graphs.videogen import DRAWN
from store.database import now_ms
from tests.conftest import Cluster, start, stop
from tests.processes import kill_all, replica
from tests.story import execute, new_task, next_message, notifications, run
from tests.test_cancel import STOPS_S, is_idle, seen
from tests.waiting import eventually
from tests.watched import Watched

CONFIG = "serve_config.test.yaml"
pytestmark = pytest.mark.alone
PAGES = 6
GOES_ON_S = 30.0  # after a kill, the next page is there
ANSWERS_S = 20.0
ENDS_S = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """In place of the session's."""
    cluster = begin(tmp_path_factory.mktemp("kills"))
    yield cluster
    stop(cluster)


def begin(var: Path) -> Cluster:
    return start(var, CONFIG, TROUPE_STORY_PAGES=str(PAGES))


@contextmanager
def drawing(cluster: Cluster, client: httpx.Client) -> Iterator[Watched]:
    """The second segment of a story, of which some pages are finished and others are not."""
    task_id = new_task(client, topic="小狐狸学会分享")
    run(client, task_id, 1)
    job = Watched(cluster, task_id, execute(client, task_id, 2))
    eventually(job.finished)
    yield job
    job.close()


def test_a_worker_amid_the_pages(cluster: Cluster, user: httpx.Client) -> None:
    with drawing(cluster, user) as job:
        finished = job.finished()
        replica(cluster, "worker").kill()
        there = job.delivered()
        assert 0 < len(there) < PAGES
        eventually(lambda: job.delivered() - there, GOES_ON_S)
        eventually(lambda: job.row.state == "completed", ENDS_S)
        job.check_pages(PAGES, finished)


def test_the_painter_amid_the_pages_and_who_answers_http(cluster: Cluster, user: httpx.Client) -> None:
    since = now_ms()
    with notifications(user) as socket, drawing(cluster, user) as job:
        assert next_message(socket)["segment_id"] == 1
        finished = job.finished()
        replica(cluster, "ingress").kill()
        replica(cluster, "painter").kill()
        assert len(job.delivered()) < PAGES
        with pytest.raises(ConnectionClosed):
            next_message(socket)
        eventually(lambda: user.get("/readyz").status_code == 200, ANSWERS_S, but=httpx.TransportError)
        eventually(lambda: job.row.state == "completed", ENDS_S)
        job.check_pages(PAGES, finished)
    with notifications(user, f"&since={since}") as socket:
        assert [next_message(socket)["segment_id"] for _ in range(2)] == [1, 2]


def test_the_film_engine_amid_a_film(cluster: Cluster, user: httpx.Client) -> None:
    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    asked = user.post(f"/api/videogen/{task_id}/execute", json={"width": 960, "height": 540, "duration": 10})
    job = Watched(cluster, task_id, asked.json()["celery_task_id"])
    eventually(lambda: job.row.progress > DRAWN)
    replica(cluster, "film").kill()
    assert job.row.state == "running"
    eventually(lambda: job.row.state == "completed", ENDS_S)
    job.close()
    with av.open(BytesIO(user.get(f"/api/task/{task_id}/resource?segmentId=1").content), "r") as film:
        assert len(list(film.decode(video=0))) == 240


def test_a_film_of_a_worker_that_stands_still(cluster: Cluster, user: httpx.Client) -> None:
    """It is deleted, and its engine has nobody who could stop it. (Ray ends what a dead process has asked for.)"""
    task_id = user.post("/api/videogen/new", json={"topic": "海边的日落"}).json()["task_id"]
    asked = user.post(f"/api/videogen/{task_id}/execute", json={"width": 1920, "height": 1080, "duration": 60})
    job, film = Watched(cluster, task_id, asked.json()["celery_task_id"]), replica(cluster, "film")
    eventually(lambda: job.row.progress > DRAWN and not is_idle(film))
    job.close()
    worker = replica(cluster, "worker")
    worker.suspend()
    assert not is_idle(film)
    assert user.delete(f"/api/task/{task_id}").json() == {"deleted": True}
    stopped_s = eventually(lambda: is_idle(film))
    worker.resume()
    assert stopped_s < STOPS_S
    assert seen(cluster, user, task_id) == (False, 404)


def test_everything_amid_the_pages(cluster: Cluster, user: httpx.Client) -> None:
    with drawing(cluster, user) as job:
        finished = job.finished()
        kill_all(cluster)
        there = job.delivered()
        assert 0 < len(there) < PAGES
        again = begin(cluster.var)
        cluster.url, cluster.dashboard, cluster.process = again.url, again.dashboard, again.process
        eventually(lambda: job.delivered() - there, GOES_ON_S)
        eventually(lambda: job.row.state == "completed", ENDS_S)
        job.check_pages(PAGES, finished)
    user.base_url = cluster.url
    run(user, job.task_id, 3, 4, 5)
    assert user.get(f"/api/task/{job.task_id}/progress").json() == {"current_segment": 5, "status": "completed"}
