"""A hub with one model, in the words of Hugging Face's: a listing, a tree, files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from urllib.parse import urlsplit

from tests.services import Service, hosted

COMMIT = "a" * 40


class Hub(Service):
    """`files`: what the model consists of. The first sending of `stalls` stops in the middle, until `left`."""

    files: Mapping[str, bytes] = {}
    stalls = ""
    sent: list[str] = []
    half = Event()

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


@contextmanager
def hub(files: Mapping[str, bytes], stalls: str = "") -> Iterator[str]:
    """The URL to name as HF_ENDPOINT."""
    Hub.files, Hub.stalls = files, stalls
    Hub.sent.clear()
    Hub.half.clear()
    with hosted(Hub) as url:
        yield url
