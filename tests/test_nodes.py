"""A cluster of three nodes: one of them dies, then the head. What was begun goes on, and whoever asks is answered."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.asking import asking
from benchmarks.nodes import HOST, Node, Nodes, nodes
from cli.environment import free_port
from contracts.settings import ROOT, Settings
from store.database import now_ms
from tests.conftest import FRONT_ENDS, RATES, Cluster, sign_up
from tests.services import hosted, redis_server
from tests.spans import Collector
from tests.story import execute, new_task, run
from tests.test_kills import drawing
from tests.waiting import eventually
from tests.watched import Watched

pytest_plugins = ["tests.places"]
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(400),
]  # three nodes start in half a minute, and in three where much else runs
START_S, ENDS_S, BACK_S = 300.0, 90.0, 60.0
PAGES = 24
TOLD = {200, 202, 503}  # an answer, or a word to come again
TRACED = {
    "RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH": "deployments.tracing:exporters",
    "RAY_SERVE_TRACING_SAMPLING_RATIO": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "500",  # milliseconds until spans are sent
}


@dataclass
class Place:
    nodes: Nodes
    cluster: Cluster
    head: Node
    workers: list[Node]
    redis: subprocess.Popen[bytes]
    redis_port: int


def config() -> dict[str, Any]:
    """The tests' own with two of everything that the pages of a story need, one a node; the head has no CPU for any."""
    whole = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    (application,) = whole["applications"]
    application["args"]["models"].remove("matching")
    application["deployments"] = [each for each in application["deployments"] if each["name"] != "matching"]
    for each in application["deployments"]:
        each["ray_actor_options"] = {"num_cpus": 0.1}
        if each["name"] in ("ingress", "worker", "painter"):
            each |= {"num_replicas": 2, "max_replicas_per_node": 1}
    return whole


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, new_postgres: Callable[[], str]) -> Iterator[Place]:
    """What lasts is in Postgres, Redis and a folder that all share."""
    var: Path = tmp_path_factory.mktemp("nodes")
    port = free_port()
    variables = RATES | FRONT_ENDS | {"TROUPE_STORY_PAGES": str(PAGES), "TROUPE_LIMITS_URL": f"redis://{HOST}:{port}/1"}
    with pytest.MonkeyPatch.context() as patch, redis_server(port, var) as redis, hosted(Collector) as collector:
        patch.setenv("TROUPE_DATABASE_URL", new_postgres())
        variables |= TRACED | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
        with nodes(Settings(var=var), f"{HOST}:{port}", **variables) as some:
            head, workers = some.start_head(), [some.add(4), some.add(4)]
            deploy(some)
            cluster = Cluster(workers[1].http, some.dashboard, var, head.process)
            yield Place(some, cluster, head, workers, redis, port)


def deploy(some: Nodes) -> None:
    some.deploy(config())
    for node in some.members[1:]:
        eventually(lambda node=node: httpx.get(f"{node.http}/readyz").status_code == 200, START_S, httpx.HTTPError, 1)


@pytest.fixture(scope="module")
def user(place: Place) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.cluster.url, timeout=30) as client:
        sign_up(place.cluster, client)
        yield client


@pytest.mark.parametrize("shown", [True, False])
def test_the_head_speaks_to_whoever_shows_its_token(place: Place, shown: bool) -> None:
    everything = os.environ | dict(place.nodes.variables)
    variables = {name: value for name, value in everything.items() if shown or not name.startswith("RAY_AUTH_")}
    command = [Path(sys.executable).with_name("ray"), "status", f"--address={HOST}:{place.nodes.port}"]
    told = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert ("Node status" in told.stdout) is shown, told.stderr


def names_in_trace_of(path: str) -> set[str]:
    """Of all spans of the call whose path ends like this."""
    traces = {span.trace_id for span in Collector.spans if span.name.endswith(path)}
    return {span.name for span in Collector.spans if span.trace_id in traces}


def test_a_call_its_job_and_the_models_of_it_are_one_trace(place: Place, user: httpx.Client) -> None:
    run(user, new_task(user), 1)
    eventually(lambda: "story.write" in names_in_trace_of("/execute/1"))
    eventually(lambda: "replica_handle_request scripted generate" in names_in_trace_of("/execute/1"))


def test_a_node_dies_amid_the_pages(place: Place, user: httpx.Client) -> None:
    url = place.cluster.url
    with drawing(place.cluster, user) as job, asking(url, f"/v1/jobs/{job.job}", user.headers) as answered:
        finished, killed = job.finished(), now_ms()
        assert len(job.delivered()) < PAGES
        place.workers[0].kill()
        eventually(lambda: job.row.state != "running", ENDS_S)
        assert (job.row.state, job.row.error) == ("completed", "") and (job.row.finished_ms or 0) > killed
        job.check_pages(PAGES, finished)
    assert answered.keys() <= TOLD and answered[200] > 10, answered


def test_the_head_dies_and_comes_back(place: Place, user: httpx.Client) -> None:
    """Nobody notices: what it knew is in Redis, and no replica runs there."""
    with drawing(place.cluster, user) as job, asking(place.cluster.url, "/readyz", user.headers) as answered:
        finished, killed = job.finished(), now_ms()
        place.head.kill()
        eventually(lambda: job.row.state != "running", ENDS_S)
        assert (job.row.state, job.row.error) == ("completed", "") and (job.row.finished_ms or 0) > killed
        job.check_pages(PAGES, finished)
        next_id = execute(user, new_task(user), 1)
        later = Watched(place.cluster, job.task_id, next_id)
        eventually(lambda: later.row.state == "completed", ENDS_S)
        later.close()
        place.head = place.nodes.start_head()
        eventually(place.nodes.status, BACK_S, httpx.HTTPError)  # RUNNING only with both nodes
    assert answered.keys() <= TOLD and answered[200] > 10, answered


def test_redis_is_restarted(place: Place, user: httpx.Client) -> None:
    """The head ends, as it can keep nothing; a new one goes on from what Redis has on its disk."""
    with asking(place.cluster.url, "/readyz", user.headers) as answered:
        place.redis.kill()
        place.redis.wait()
        eventually(lambda: place.head.process.poll() is not None, ENDS_S)
        with redis_server(place.redis_port, place.cluster.var):
            place.head = place.nodes.start_head()
            eventually(place.nodes.status, BACK_S, httpx.HTTPError)  # RUNNING only with both nodes
            run(user, new_task(user), 1)
    assert answered.keys() <= TOLD and answered[200] > 10, answered
