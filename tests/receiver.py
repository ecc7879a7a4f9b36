"""A receiver of callbacks: a real HTTP server that answers as it is told and keeps what it is sent."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG, ENDLESS, MOVED = 0, 1, 302


@dataclass
class Receiver:
    """`answers`, a path's statuses in their order, the last one again and again; a path without any is answered 204."""

    port: int = 0
    answers: dict[str, list[int]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.requests]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status to answer with."""
        self.requests.append((path, headers, body))
        statuses = self.answers.get(path, [204])
        return statuses.pop(0) if len(statuses) > 1 else statuses[0]

    @contextmanager
    def open(self, tls: ssl.SSLContext | None = None) -> Iterator["Receiver"]:
        """Listens on `port`; 0: on any."""
        with _Server(("127.0.0.1", self.port), _Answer) as server:
            self.port, server.receiver = server.server_port, self
            if tls:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield self
            self.ends.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who calls may leave."""


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.receiver.take(self.path, headers, body)
        if status == HANG:
            self.server.receiver.ends.wait()
            return
        self.send_response(200 if status == ENDLESS else status)
        self.send_header("set-cookie", "from=here")
        if status == MOVED:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        with suppress(OSError):
            while status == ENDLESS and not self.server.receiver.ends.is_set():
                self.wfile.write(bytes(65_536))

    def log_message(self, format: str, *args: object) -> None:
        """What is expected is asserted."""


def free_port() -> int:
    """Nobody listens there."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
