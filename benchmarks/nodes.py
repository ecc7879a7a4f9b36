"""Several Ray nodes on this machine, each of which can be killed alone; for failure tests and benchmarks.

The head runs no replica (`--num-cpus 0`), as on a real cluster. A node is a `ray start --block` and what it has begun.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from cli.environment import environment, free_port, runtime_dir
from contracts.settings import ROOT, Settings

HOST = "127.0.0.1"
START_S = 180.0
STARTED = "Ray runtime started"  # as `ray start` tells
FAST = {  # a node that is dead is known to be within two seconds, in place of half a minute
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "120",
}


@dataclass(frozen=True)
class Node:
    process: subprocess.Popen[bytes]
    http: str  # the URL of its proxy
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """As a machine that loses its power."""
        root = psutil.Process(self.process.pid)
        members = [root, *root.children(recursive=True)]
        for member in members:
            member.suspend()  # nobody starts anything anew or says goodbye
        for member in members:
            member.kill()
        psutil.wait_procs(members, timeout=20)
        self.process.wait()


@dataclass
class Nodes:
    """`variables`: what they find in the environment; `redis`: host and port, where the head keeps what it knows."""

    folder: Path
    variables: Mapping[str, str]
    redis: str = ""
    port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    members: list[Node] = field(default_factory=list)

    @property
    def dashboard(self) -> str:
        return f"http://{HOST}:{self.dashboard_port}"

    def start_head(self) -> Node:
        """Begin it, or the same again: with Redis, it goes on with what the last one knew."""
        kept = {"RAY_REDIS_ADDRESS": self.redis, "RAY_external_storage_namespace": "nodes"} if self.redis else {}
        command = ["--head", f"--port={self.port}", "--num-cpus=0", f"--temp-dir={self.folder}"]
        command += [f"--dashboard-port={self.dashboard_port}", "--dashboard-host=127.0.0.1", "--include-dashboard=true"]
        (self.folder / "ray_current_cluster").unlink(
            missing_ok=True
        )  # or the nodes that wait are taken for another head
        head = self._start(command, self.http_port, kept)
        self._wait(head, self._answers)
        return head

    def add(self, cpus: int) -> Node:
        """A node more, with a proxy of its own. One after another: of those that begin together some give up."""
        port = free_port()
        own = {"RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(port)}
        node = self._start([f"--address={HOST}:{self.port}", f"--num-cpus={cpus}"], port, own)
        self._wait(node, lambda: STARTED in node.said())
        return node

    def deploy(self, config: dict[str, Any]) -> None:
        """Hand a configuration to Serve; the head's proxy has a port of its own."""
        options = config.get("http_options", {}) | {"host": HOST, "port": self.http_port}
        self._dashboard("PUT", "/api/serve/applications/", json=config | {"http_options": options}).raise_for_status()

    def status(self) -> str:
        """Of the application, as Serve's controller tells; empty: there is none."""
        applications = self._dashboard("GET", "/api/serve/applications/").json().get("applications", {})
        return next((each["status"] for each in applications.values()), "")

    def close(self) -> None:
        for node in self.members:
            if node.process.poll() is None:
                node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, options: list[str], http: int, variables: Mapping[str, str]) -> Node:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", f"--node-ip-address={HOST}"]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        command += ["--object-store-memory=100000000", "--disable-usage-stats", *options]
        path = self.folder / f"{http}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | dict(self.variables) | dict(variables), stdout=log, stderr=log
            )
        node = Node(process, f"http://{HOST}:{http}", path)
        self.members.append(node)
        return node

    def _wait(self, node: Node, started: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while not started():
            if time.monotonic() > deadline or node.process.poll() is not None:
                raise TimeoutError(f"A node of Ray did not start:\n{node.said()}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return self._dashboard("GET", "/api/version").status_code == 200
        except httpx.TransportError:
            return False

    def _dashboard(self, method: str, path: str, **asked: Any) -> httpx.Response:
        token = Path(self.variables["RAY_AUTH_TOKEN_PATH"]).read_text()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.dashboard}{path}", headers=headers, timeout=START_S, **asked)


@contextmanager
def nodes(settings: Settings, redis: str = "", **variables: str) -> Iterator[Nodes]:
    """None has been started; all are gone in the end."""
    folder = Path(tempfile.mkdtemp(prefix="n", dir=runtime_dir()))
    every = environment(settings, proxied=False) | FAST | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | variables
    some = Nodes(folder, every, redis)
    try:
        yield some
    finally:
        some.close()
