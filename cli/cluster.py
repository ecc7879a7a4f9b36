"""A Ray cluster on this machine, for as long as somebody wants it."""

import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from filelock import FileLock, Timeout

from cli import leftovers
from cli.environment import environment, haproxy_dir, ray_dir, runtime_dir
from contracts.settings import Settings

HOST = "127.0.0.1"
START_S = 300.0
LOOK_S = 1.0  # between two looks at all deployments: with fifty of them, looking is work for the controller


class CannotStart(Exception):
    """Why, in words for the person at the terminal."""


@dataclass(frozen=True)
class Plan:
    """`proxied`: HAProxy and throughput mode; else Serve's own Python proxy."""

    config: Path
    port: int = 8000
    dashboard_port: int = 8265
    proxied: bool = True

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def dashboard(self) -> str:
        return f"http://{HOST}:{self.dashboard_port}"


@contextmanager
def running(plan: Plan, say: Callable[[str], None]) -> Iterator[Plan]:
    """The cluster, ready for work; gone at the end, however it comes. `CannotStart` when it cannot be had.

    SIGTERM is then a `KeyboardInterrupt`, as Ctrl-C is.
    """
    for port in (plan.port, plan.dashboard_port):
        check_free(port)
    settings = Settings()
    with alone(settings.var):
        leftovers.clear(runtime_dir(), settings.logs_days)
        os.environ.update(environment(settings, plan.proxied))
        start(plan, say)
        try:
            say("Starting the models …")
            deploy(plan)
            wait_ready(plan)
            yield plan
        finally:
            signals(signal.SIG_IGN)  # once is enough: what is half stopped would stay
            say("Stopping …")
            stop()


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """One cluster a folder: two would run each other's jobs."""
    var.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(var / "serve.lock", blocking=False):
            yield
    except Timeout:
        raise CannotStart(f"Another cluster uses {var}; set TROUPE_VAR to another folder.") from None


def start(plan: Plan, say: Callable[[str], None]) -> None:
    """Ray, with this process as its driver."""
    import ray

    say("Starting Ray …")
    free_agent_port()
    ray.init(
        include_dashboard=True,
        dashboard_host=HOST,
        dashboard_port=plan.dashboard_port,
        log_to_driver=False,
        logging_level=logging.WARNING,
        _temp_dir=str(ray_dir()),
    )
    signals(signal.default_int_handler)  # Ray's own would dump its stack and die


def free_agent_port() -> None:
    """Ray's agent, to which jobs are submitted, listens at a fixed port: a second cluster of a machine has none.

    `ray start` has an option for it, `ray.init` does not: it has the default of this constructor (Ray 2.60).
    """
    from ray._private.parameter import RayParams
    from ray._private.ray_constants import DEFAULT_DASHBOARD_AGENT_LISTEN_PORT as fixed

    made: Any = RayParams.__init__
    made.__defaults__ = tuple(0 if value == fixed else value for value in made.__defaults__)


def deploy(plan: Plan) -> None:
    """Hand the configuration to Serve, as `serve deploy` does."""
    from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

    config = yaml.safe_load(plan.config.read_text(encoding="utf-8"))
    config["http_options"] = config.get("http_options", {}) | {"host": HOST, "port": plan.port}
    ServeSubmissionClient(plan.dashboard).deploy_applications(config)


def signals(handler: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def wait_ready(plan: Plan) -> None:
    """Until every deployment is up and work that is sent would be done."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        time.sleep(LOOK_S)
        if deployed() and answers(plan):
            return
    raise CannotStart(f"The cluster was not ready within {START_S:.0f} s; its logs are in {ray_dir()}.")


def deployed() -> bool:
    """Whether Serve runs all of it. What it will never run is `CannotStart`."""
    from ray import serve

    applications = serve.status().applications
    for name, application in applications.items():
        if application.status == "DEPLOY_FAILED":
            told = [deployment.message for deployment in application.deployments.values() if deployment.message]
            raise CannotStart("\n".join([f"{name}: {application.message}", *told]))
    return bool(applications) and all(each.status == "RUNNING" for each in applications.values())


def answers(plan: Plan) -> bool:
    try:
        return httpx.get(f"{plan.url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False  # nobody listens yet


def stop() -> None:
    import ray
    from ray import serve

    serve.shutdown()
    ray.shutdown()
    shutil.rmtree(haproxy_dir(), ignore_errors=True)


def check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CannotStart(f"Port {port} is in use; name another one.") from None
