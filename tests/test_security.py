"""What listens, what is logged, and who may talk to Ray."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from cli.environment import ray_dir
from tests.conftest import Cluster
from tests.story import execute, new_task, notifications, wait

# Ray's own processes bind every interface; docs/security.md names them and the firewall rule.
WIDE_BY_RAY = ("/ray/", "ray::", "ray-dashboard", "haproxy", "cli.main serve")  # the last is Ray's driver


def family(cluster: Cluster) -> list[psutil.Process]:
    leader = psutil.Process(cluster.process.pid)
    return [leader, *leader.children(recursive=True)]


def listening(cluster: Cluster) -> dict[tuple[str, int], str]:
    """Address and port, and the process of the cluster that listens there. HAProxy renews itself:
    one look may miss it."""
    found: dict[tuple[str, int], str] = {}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and httpx.URL(cluster.url).port not in {port for _, port in found}:
        members = {process.pid for process in family(cluster)}
        for socket in psutil.net_connections("tcp"):
            name = _name(socket.pid)
            ours = socket.pid in members or f"/h{cluster.process.pid}/" in name
            if ours and socket.status == psutil.CONN_LISTEN:
                found[socket.laddr.ip, socket.laddr.port] = name
    return found


def _name(pid: int | None) -> str:
    try:
        process = psutil.Process(pid)
        return " ".join([process.name(), *process.cmdline()])
    except psutil.Error:
        return ""


def test_http_and_dashboard_listen_on_this_machine_only(cluster: Cluster) -> None:
    found = listening(cluster)
    for url in (cluster.url, cluster.dashboard):
        port = httpx.URL(url).port
        assert {address for address, number in found if number == port} == {"127.0.0.1"}


def test_only_ray_listens_wider(cluster: Cluster) -> None:
    wide = {place: name for place, name in listening(cluster).items() if not place[0].startswith("127.")}
    assert wide, "documented, and worth a new look when it is no longer so"
    foreign = {place: name for place, name in wide.items() if not any(part in name for part in WIDE_BY_RAY)}
    assert not foreign


def test_our_http_is_answered_wider_by_the_documented_replica_only(cluster: Cluster) -> None:
    wide = {port: name for (address, port), name in listening(cluster).items() if not address.startswith("127.")}
    with ThreadPoolExecutor(len(wide)) as pool:
        ours = [port for port, speaks in zip(wide, pool.map(_speaks_our_http, wide), strict=True) if speaks]
    assert all("ServeReplica:troupe:ingress" in wide[port] for port in ours), {port: wide[port] for port in ours}
    assert _speaks_our_http(httpx.URL(cluster.url).port or 0)  # the question tells them apart


def _speaks_our_http(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).text == '{"status":"ok"}'
    except httpx.HTTPError:
        return False


def test_what_listens_wider_is_documented(cluster: Cluster) -> None:
    text = (Path(__file__).parent.parent / "docs/security.md").read_text(encoding="utf-8")
    for word in ("gcs_server", "raylet", "HAProxy", "nft ", "127.0.0.1"):
        assert word in text


@pytest.mark.parametrize("path", ["/api/serve/applications/", "/api/jobs/", "/nodes?view=summary"])
def test_ray_asks_for_its_token(cluster: Cluster, path: str) -> None:
    assert httpx.get(cluster.dashboard + path).status_code == 401
    wrong = httpx.get(cluster.dashboard + path, headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code in (401, 403)
    token = (cluster.var / "keys" / "ray.token").read_text()
    assert httpx.get(cluster.dashboard + path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def logs(cluster: Cluster) -> list[Path]:
    """Every log of the cluster's session."""
    session = {folder for process in family(cluster) for folder in _sessions(process)}
    assert len(session) == 1
    return [path for path in (session.pop() / "logs").rglob("*") if path.is_file()]


def _sessions(process: psutil.Process) -> set[Path]:
    """The session folders that a process's command line names."""
    try:
        words = " ".join(process.cmdline()).replace("=", " ").split()
    except psutil.Error:
        return set()
    inside = [Path(word) for word in words if word.startswith(f"{ray_dir()}/session_")]
    return {ray_dir() / path.relative_to(ray_dir()).parts[0] for path in inside}


def test_logs_are_json_and_hold_no_secret(cluster: Cluster, user: httpx.Client) -> None:
    topic = "a topic that nobody else has"
    with notifications(user):
        wait(user, execute(user, new_task(user, topic=topic), 1))
    user.post("/api/login", json={"username": "nobody", "password": cluster.secrets[0]})
    user.get("/api/resource", params={"url": "x", "token": cluster.secrets[1]})
    secrets = [*cluster.secrets, *((cluster.var / "keys" / name).read_text() for name in ("signing.key", "ray.token"))]
    files = logs(cluster)
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
    ingress = [path for path in files if "replica_troupe_ingress" in path.name]
    lines = [json.loads(line) for path in ingress for line in path.read_text().splitlines()]
    requests = [line for line in lines if line.get("message") == "request"]
    assert {"method", "path", "status", "request_id"} <= requests[-1].keys()


def test_artifacts_and_keys_are_not_for_everybody(cluster: Cluster) -> None:
    assert oct((cluster.var / "keys").stat().st_mode)[-3:] == "700"


def test_nobody_is_believed_to_call_from_elsewhere(cluster: Cluster, client: httpx.Client) -> None:
    """Uvicorn would believe it of HAProxy, which comes from 127.0.0.1."""
    client.post("/api/scripts", json={"name": "mine"}, headers={"X-Forwarded-For": "203.0.113.5"})
    found = httpx.get(f"{cluster.url}/api/scripts", headers={"X-Forwarded-For": "203.0.113.6"}).json()["data"]
    assert "mine" in [script["name"] for script in found]
