"""A hub with one model, in the words of Hugging Face's: a listing, a tree, files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """`files`: what the model consists of. The first sending of `stalls` stops in the middle, until `left`."""

    files: Mapping[str, bytes] = {}
    stalls = ""
    sent: list[str] = []
    half, left = Event(), Event()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.partition(f"/resolve/{COMMIT}/")[2]
        if name:
            content = self.files[name]
            headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        else:
            told = self._tree() if "/tree/" in path else {"id": "a/b", "sha": COMMIT, "siblings": self._siblings()}
            content, headers = json.dumps(told).encode(), {"Content-Type": "application/json"}
        self.send_response(200)
        for header, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command == "GET":
            self._write(name, content)

    def _tree(self) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for name, content in self.files.items()
        ]

    def _siblings(self) -> list[dict[str, str]]:
        return [{"rfilename": name} for name in self.files]

    def _write(self, name: str, content: bytes) -> None:
        self.sent.append(name)
        if name == self.stalls and self.sent.count(name) == 1:
            self.wfile.write(content[: len(content) // 2])
            self.half.set()
            self.left.wait(30)
            return
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub(files: Mapping[str, bytes], stalls: str = "") -> Iterator[str]:
    """The URL to name as HF_ENDPOINT."""
    Hub.files, Hub.stalls = files, stalls
    Hub.sent.clear()
    Hub.half.clear()
    Hub.left.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        Hub.left.set()
        server.shutdown()
        server.server_close()
        thread.join()
