"""An upgrade by a second cluster, as docs/operations.md has it: who calls meanwhile is answered, and a job goes on.

python -m benchmarks.upgrade      (needs nginx)

Both clusters share Postgres and a folder. Somebody asks through nginx all the time while the second starts; pages are
being drawn while nginx is pointed at it and the first is ended.
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.asking import PAUSE_S, asking
from benchmarks.cluster import machine
from benchmarks.databases import postgres
from benchmarks.nodes import HOST, Nodes, nodes
from benchmarks.scale import READY_S, answers
from cli.demo import ask, follow, sign_in
from cli.environment import free_port
from contracts.settings import ROOT

DRAINS_S = 2.0
VARIABLES = {
    "TROUPE_STORY_PAGES": "24",
    "TROUPE_STATUS_LIMIT": "1000000 per minute",
    "TROUPE_FORWARDED_HOPS": "1",
}
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # of nginx's temporary files
CERTIFY = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out certificate.pem"


class Front:
    """nginx as deploy/nginx.conf has it, on ports of its own, and where it sends calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"https://{HOST}:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        subprocess.run(CERTIFY.split(), cwd=folder, check=True, capture_output=True)
        for kind in KINDS:
            (folder / kind).mkdir()

    def point(self, to: str) -> None:
        """Begins, or goes on elsewhere: calls that came before are still answered from where they went."""
        config, said = self.folder / "nginx.conf", (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        own = {
            "127.0.0.1:8000": to.removeprefix("http://"),
            "listen 443": f"listen {HOST}:{self.port}",
            "listen 80": f"listen {HOST}:{free_port()}",
            "/etc/troupe/tls": str(self.folder),
            "http {": "http { access_log off; " + " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in KINDS),
        }
        for shipped, here in own.items():
            said = said.replace(shipped, here)
        here = f"daemon off; pid {self.folder}/pid; error_log {self.folder}/errors;\n"
        config.write_text(here + said, encoding="utf-8")
        if self.process:
            self.process.send_signal(signal.SIGHUP)
        else:
            self.process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(self.folder)])
            while not self._listens() and self.process.poll() is None:
                time.sleep(PAUSE_S)

    def _listens(self) -> bool:
        with socket.socket() as there:
            return there.connect_ex((HOST, self.port)) == 0

    def end(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()


def main() -> None:
    if not shutil.which("nginx"):
        raise SystemExit("nginx is needed: apt install nginx-light")
    print(machine())
    with postgres() as settings, tempfile.TemporaryDirectory() as folder:
        front, shared = Front(Path(folder)), VARIABLES | {"TROUPE_DATABASE_URL": settings.database_url}
        try:
            with nodes(settings, **shared) as old, nodes(settings, **shared) as new:
                begin(old)
                front.point(old.members[1].http)
                move(front, old, new)
        finally:
            front.end()


def move(front: Front, old: Nodes, new: Nodes) -> None:
    with (
        httpx.Client(base_url=front.url, timeout=600, verify=False) as client,
        asking(front.url, "/v1/models", verify=False) as answered,
    ):
        sign_in(client)
        task = ask(client, "POST", "/api/task/new", json={"topic": "小狐狸学会分享"})["task_id"]
        follow(client, ask(client, "POST", f"/api/task/{task}/execute/1")["celery_task_id"], lambda _: None)
        began = time.perf_counter()
        begin(new)
        print(f"the second cluster is ready after {time.perf_counter() - began:.0f} s; {dict(answered)}")
        job = ask(client, "POST", f"/api/task/{task}/execute/2")["celery_task_id"]
        front.point(new.members[1].http)
        time.sleep(DRAINS_S)
        end(old)
        print(f"the first has ended; {dict(answered)}; pages: {ask(client, 'GET', f'/v1/jobs/{job}')['state']}")
        follow(client, job, lambda _: None)
        print(f"pages: {ask(client, 'GET', f'/v1/jobs/{job}')['state']}; {dict(answered)}")


def begin(some: Nodes) -> None:
    """A head and a node with everything that stories need."""
    some.start_head()
    some.add(cpus=4)
    some.deploy(config())
    wait(f"{some.members[1].http}/readyz")


def end(some: Nodes) -> None:
    """As `ray down` does."""
    for node in reversed(some.members):
        node.process.terminate()
        node.process.wait(60)


def config() -> dict[str, Any]:
    whole: dict[str, Any] = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    for each in whole["applications"][0]["deployments"]:
        each["ray_actor_options"] = {"num_cpus": 0.1}
    return whole


def wait(url: str) -> None:
    deadline = time.monotonic() + READY_S
    while not answers(url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} did not begin to serve")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
