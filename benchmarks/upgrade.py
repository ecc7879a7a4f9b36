"""An upgrade by a second cluster, as docs/operations.md has it: who calls meanwhile is answered, and a job goes on.

python -m benchmarks.upgrade      (needs nginx)

Both clusters share Postgres and a folder. Somebody asks through nginx all the time while the second starts; pages are
being drawn while nginx is pointed at it and the first is ended.
"""

import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.cluster import machine
from benchmarks.databases import postgres
from benchmarks.nodes import HOST, Nodes, nodes
from benchmarks.scale import READY_S, answers
from cli.demo import ask, follow, sign_in
from cli.environment import free_port
from contracts.settings import ROOT

PAGES, PAUSE_S, DRAINS_S = 40, 0.05, 5.0
NGINX = """daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen {host}:{port}; proxy_http_version 1.1; proxy_set_header Host $http_host;
        location / {{ proxy_pass {to}; }} }} }}
"""


class Front:
    """nginx, and where it sends calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def point(self, to: str) -> None:
        """Begins, or goes on elsewhere: calls that came before are still answered from where they went."""
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, host=HOST, port=self.port, to=to), encoding="utf-8")
        if self.process:
            self.process.send_signal(signal.SIGHUP)
        else:
            self.process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(self.folder)])

    def end(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()


def main() -> None:
    if not shutil.which("nginx"):
        raise SystemExit("nginx is needed: apt install nginx-light")
    print(machine())
    with postgres() as settings, tempfile.TemporaryDirectory() as folder:
        front = Front(Path(folder))
        with nodes(settings, TROUPE_STORY_PAGES=str(PAGES), TROUPE_STATUS_LIMIT="1000000 per minute") as old:
            begin(old)
            front.point(old.members[1].http)
            with nodes(settings, TROUPE_STORY_PAGES=str(PAGES), TROUPE_STATUS_LIMIT="1000000 per minute") as new:
                move(front, old, new)
        front.end()


def move(front: Front, old: Nodes, new: Nodes) -> None:
    with httpx.Client(base_url=front.url, timeout=600) as client, asking(front.url) as answered:
        wait(f"{front.url}/readyz")
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


@contextmanager
def asking(url: str) -> Iterator[Counter[str]]:
    """Somebody asks all the time, one question after another; what was answered, by status."""
    answered: Counter[str] = Counter()
    over = threading.Event()

    def go() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not over.wait(PAUSE_S):
                try:
                    answered[str(client.get("/v1/models").status_code)] += 1
                except httpx.HTTPError as error:
                    answered[type(error).__name__] += 1

    asks = threading.Thread(target=go)
    asks.start()
    try:
        yield answered
    finally:
        over.set()
        asks.join()


if __name__ == "__main__":
    main()
