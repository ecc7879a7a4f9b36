"""Servers of others, on this machine: real HTTP, in threads of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


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
