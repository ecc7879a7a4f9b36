"""`GET /v1/cluster`: what was measured on every node, added up, and what waits."""

import threading
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from api import figures, state
from api.app import build
from api.figures import Figures, Measured, together
from api.models import Models
from cli.environment import free_port
from contracts.catalog import models
from contracts.jobs import Job
from contracts.settings import Settings
from jobs.records import Records
from store.database import Database
from tests.services import Service, hosted

NODE = """# HELP ray_component_rss_bytes Resident memory.
# TYPE ray_component_rss_bytes gauge
ray_component_rss_bytes{Component="raylet",ip="10.0.0.1",pid="7"} 9.0e+07
ray_component_rss_bytes{Component="ray::ServeReplica:troupe:painter",ip="10.0.0.1"} 3.0e+08
ray_component_rss_bytes{Component="ray::ServeReplica:troupe:painter.check_health",ip="10.0.0.1"} 1.0e+08
ray_component_rss_bytes{Component="ray::ServeReplica:troupe:worker",ip="10.0.0.1"} 2.0e+08
ray_component_gpu_memory_mb{Component="ray::ServeReplica:troupe:painter",ip="10.0.0.1"} 512.0
ray_serve_deployment_queued_queries{application="troupe",deployment="painter",handle="a"} 3.0
ray_serve_deployment_queued_queries{application="troupe",deployment="painter",handle="b"} 1.0
ray_serve_num_router_requests_total{deployment="painter"} 7.0
"""
PAINTER = Figures(memory_bytes=400_000_000, gpu_bytes=512 << 20, waiting=4)


class NodeAgent(Service):
    """Ray's agent on a node."""

    looks: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.looks.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(NODE.encode())


def test_replicas_are_added_up_whatever_they_do_now() -> None:
    assert together(NODE.splitlines()) == {"painter": PAINTER, "worker": Figures(memory_bytes=200_000_000)}
    assert together([]) == {}


def test_a_node_that_does_not_answer_is_left_out() -> None:
    with hosted(NodeAgent) as url:
        measured = Measured(lambda: [f"{url}/metrics", f"http://127.0.0.1:{free_port()}/metrics"])
        assert measured.figures()["painter"] == PAINTER


def test_nodes_are_asked_once_however_many_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(NodeAgent) as url:
        NodeAgent.looks.clear()
        measured = Measured(lambda: [f"{url}/metrics"])
        threads = [threading.Thread(target=measured.figures) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert NodeAgent.looks == ["/metrics"]
        monkeypatch.setattr(figures.time, "monotonic", lambda: measured._until_s + 1)
        measured.figures()
        assert len(NodeAgent.looks) == 2


async def test_the_cluster_at_a_glance(tmp_path: Path) -> None:
    settings, known = Settings(var=tmp_path), models()
    database = Database(settings.tables_url)
    database.migrate()
    records = Records(database)
    for name in ("a", "b", "c"):
        records.create(Job(id=name, kind="story.images", owner="anna", params={}), "s")
    records.start("a")
    records.cancel("c")
    with hosted(NodeAgent) as url:
        here = state.make(
            settings,
            Models([known["painter"], known["film"]], known, False),
            state.Engines(),
            figures=lambda: [f"{url}/metrics"],
        )
        transport = httpx.ASGITransport(build(here))
        async with httpx.AsyncClient(transport=transport, base_url="http://troupe") as client:
            told = (await client.get("/v1/cluster")).json()
    (node,) = told["nodes"]
    assert node["alive"] and node["memory_total"] > 0
    painter, film = told["models"]
    assert painter == {"id": "painter", "capability": "image", "name": "Scene painter"} | PAINTER.model_dump()
    assert (film["id"], film["memory_bytes"]) == ("film", 0)
    assert told["services"]["worker"]["memory_bytes"] == 200_000_000
    (queue,) = told["queues"]
    assert queue | {"oldest_s": 0} == {"kind": "story.images", "queued": 1, "running": 1, "oldest_s": 0}
    assert 0 <= queue["oldest_s"] < 60
    for each in (here.database, here.artifacts._database, database):
        each.engine.dispose()
