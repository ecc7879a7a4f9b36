"""The servers around a cluster go away and come back: no job is lost, none leaves half a file, who asks is told."""

import hashlib
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from api.rates import Rates
from cli.environment import free_port
from contracts.artifacts import Provenance
from contracts.errors import Unavailable
from contracts.settings import Settings
from store.artifacts import Artifacts
from tests.gate import Gate
from tests.services import redis_server
from tests.test_faults import working
from tests.test_store import listing, rows
from tests.waiting import eventually

pytest_plugins = ["tests.places"]
AWAY_S = 20.0
TOLD_S = 15.0  # a client is, within


@pytest.fixture
def gate(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Through which this process, and those that it starts, reach the object store."""
    gate = Gate(s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # as in deploy/node/environment
    S3FileSystem.clear_instance_cache()  # fsspec keeps those of other tests, which know the way without the gate
    yield gate
    S3FileSystem.clear_instance_cache()
    gate.shut()


@pytest.fixture
def settings(gate: Gate, tmp_path: Path, new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    url = f"s3://bucket-{uuid.uuid4().hex}/prefix"
    monkeypatch.setenv("TROUPE_ARTIFACTS_URL", url)
    return Settings(var=tmp_path / "var", database_url=new_postgres(), artifacts_url=url)


def test_an_object_store_that_is_away_for_twenty_seconds(gate: Gate, settings: Settings, tmp_path: Path) -> None:
    with working(settings, tmp_path) as place:
        files = Artifacts(settings)
        files.check()
        jobs = [place.submit("publish") for _ in range(4)]
        for job_id in jobs:
            place.noted(job_id, "publish waits")
        gate.shut()
        back = threading.Timer(AWAY_S, gate.open)
        back.start()
        for job_id in jobs:
            place.let_go_on(job_id)
        began_s = time.monotonic()
        with pytest.raises(Unavailable) as told:
            files.upload("uploads/x.json", b"{}", "user-1")
        assert time.monotonic() < began_s + TOLD_S and told.value.retry_after_s
        for job_id in jobs:
            place.noted(job_id, "publish")  # it has tried
        assert back.is_alive() and not [job_id for job_id in jobs if place.look(job_id).finished_ms]
        back.join()
        eventually(lambda: all(place.look(job_id).finished_ms for job_id in jobs), 60)
        assert [(view.state, view.error) for view in map(place.look, jobs)] == [("completed", "")] * 4, place.log()
        keys = sorted(f"published/{job_id}.json" for job_id in jobs)
        assert (listing(files), rows(settings)) == (keys, keys)
        for key in keys:
            assert hashlib.sha256(files.read(key)).hexdigest() == files.find(key).sha256
        files.put("after.json", b"{}", Provenance(owner="user-1"))
        files._database.engine.dispose()


async def test_limits_go_on_when_redis_is_back(tmp_path: Path) -> None:
    port = free_port()
    limits = {"limits_url": f"redis://127.0.0.1:{port}/0", "generation_limit": "2 per hour"}
    with redis_server(port) as first:
        rates = Rates(Settings(var=tmp_path, **limits))
        assert [await rates.hit("generation", "/", "anna") > 0 for _ in range(3)] == [False, False, True]
        kill(first)
        assert await rates.hit("generation", "/", "anna") == 0
    with redis_server(port):
        assert [await rates.hit("generation", "/", "anna") > 0 for _ in range(3)] == [False, False, True]


def kill(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()
