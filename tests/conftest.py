"""Real clusters, started as a user starts them, on ports and folders of their own."""

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import settings

from cli.environment import free_port
from tests import sharing
from tests.sharing import pytest_collection_modifyitems, pytest_runtest_teardown

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_teardown"]  # hooks
ROOT = Path(__file__).parent.parent
START_S = 240
RATES = {f"TROUPE_{kind}_LIMIT": "100000 per minute" for kind in ("GENERATION", "STATUS")}  # tests ask often
FRONT_ENDS = {"TROUPE_CORS_ORIGINS": '["*"]'}

settings.register_profile("same", derandomize=True, deadline=None)  # every run tries the same examples
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000)  # each run tries others
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@dataclass
class Cluster:
    url: str
    dashboard: str
    var: Path
    process: subprocess.Popen[str]
    secrets: list[str] = field(default_factory=list)  # what must never be found in a log


def start(var: Path, config: str, *options: str, **environment: str) -> Cluster:
    """`troupe serve`, once it says that it is ready."""
    port, dashboard = free_port(), free_port()
    command = [sys.executable, "-m", "cli.main", "serve", "--config", str(ROOT / config)]
    command += ["--port", str(port), "--dashboard-port", str(dashboard), *options]
    set_here = (
        {"TROUPE_VAR": str(var), "TROUPE_STORY_PAGES": "2", "TROUPE_REVISION": "tested"}
        | RATES
        | FRONT_ENDS
        | environment
    )
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | set_here, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    late = threading.Timer(START_S, process.terminate)  # then its output ends
    late.start()
    said = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ready"):
            late.cancel()
            return Cluster(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{dashboard}", var, process)
    late.cancel()
    raise AssertionError("".join(said))


def stop(cluster: Cluster) -> None:
    """End it as a user does: it leaves with status 0, and nothing of it runs on."""
    members = psutil.Process(cluster.process.pid).children(recursive=True)
    cluster.process.send_signal(signal.SIGTERM)
    said, _ = cluster.process.communicate(timeout=60)
    assert cluster.process.returncode == 0, said
    assert "SIGTERM" not in said
    _, alive = psutil.wait_procs(members, timeout=20)
    assert len(members) > 10
    assert not alive
    assert not [each for each in psutil.process_iter(["cmdline"]) if _names(each, f"/h{cluster.process.pid}/")]


def _names(process: psutil.Process, word: str) -> bool:
    return any(word in part for part in process.info["cmdline"] or [])


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    sharing.RUNNING["cluster"] = started = start(tmp_path_factory.mktemp("var"), "serve_config.test.yaml")
    yield started
    sharing.end("cluster")


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same with models that listen, see and draw (`tests.studio`)."""
    from tests.studio import config  # it builds upon this module

    models = tmp_path_factory.mktemp("models")
    sharing.RUNNING["studio"] = started = start(tmp_path_factory.mktemp("var"), str(config(models)))
    yield started
    sharing.end("studio")


@pytest.fixture
def client(cluster: Cluster) -> Iterator[httpx.Client]:
    """Nobody in particular."""
    with httpx.Client(base_url=cluster.url, timeout=60) as client:
        yield client


def sign_up(cluster: Cluster, client: httpx.Client) -> str:
    """A new user, whom the client is from now on; the access token."""
    account = {"username": f"user-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(12)}
    assert client.post("/api/register", json=account).status_code == 200
    answer = client.post("/api/login", json=account)
    token = str(answer.json()["access_token"])
    client.headers["Authorization"] = f"Bearer {token}"
    cluster.secrets += [account["password"], token, answer.cookies["refresh_token"]]
    return token


@pytest.fixture
def new_user(cluster: Cluster) -> Iterator[Callable[[], httpx.Client]]:
    """Makes clients, each of another user."""
    clients: list[httpx.Client] = []

    def make() -> httpx.Client:
        clients.append(httpx.Client(base_url=cluster.url, timeout=60))
        sign_up(cluster, clients[-1])
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def user(new_user: Callable[[], httpx.Client]) -> httpx.Client:
    return new_user()
