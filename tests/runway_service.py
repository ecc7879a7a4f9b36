"""A server that speaks the part of Runway's API that films from a picture, and fails as the real one does.

What becomes of a task is said by the text that it is asked with; without a text all goes well.
"""

import json
from contextlib import AbstractContextManager
from typing import Any

from tests import services
from tests.media import film

SECRET = "key_of_a_test"
VERSION = "2024-11-06"
FILM = "/films/1.mp4"


class Service(services.Service):
    """`asked`: the tasks; `cancelled`: their ids; `looked`: how often somebody asked for one."""

    cancelled: list[str] = []
    looked = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["authorization"] != f"Bearer {SECRET}" or self.headers["x-runway-version"] != VERSION:
            return self._say(401, {"error": "the key of account 17 is not valid"})
        if (text := body.get("promptText", "")).startswith("status "):
            return self._say(int(text.split()[1]), {"error": f"no credits left for {SECRET}"})
        self.asked.append(body | {"path": self.path})
        return self._say(200, {"id": "17462ac4-0000-4000-8000-000000000001"})

    def do_GET(self) -> None:
        if self.path == FILM:
            content = b"<html>" if "no film" in self._text() else film("mp4", "mpeg4", seconds=2.0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        type(self).looked += 1
        self._say(200, self._task())

    def do_DELETE(self) -> None:
        self.cancelled.append(self.path.rpartition("/")[2])
        self.send_response(204)
        self.end_headers()

    def _task(self) -> dict[str, Any]:
        told = {"id": self.path.rpartition("/")[2], "createdAt": "2026-01-01T00:00:00Z"}
        cost = {"estimatedCost": {"credits": 25}}
        begun = [told | cost | {"status": "PENDING"}, told | cost | {"status": "THROTTLED"}]
        begun += [told | cost | {"status": "RUNNING", "progress": share} for share in (0.25, 0.75)]
        if self.looked <= len(begun):
            return begun[self.looked - 1]
        if "for ever" in self._text():
            return begun[-1]
        if "fails" in self._text():
            return told | {
                "status": "FAILED",
                "cost": {"credits": 0},
                "failure": "x",
                "failureCode": "SAFETY.INPUT.TEXT",
            }
        host = f"http://{self.headers['host']}"
        return told | {"status": "SUCCEEDED", "cost": {"credits": 25}, "output": [f"{host}{FILM}"]}

    def _text(self) -> str:
        return str(self.asked[-1].get("promptText", ""))

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serving() -> AbstractContextManager[str]:
    Service.cancelled.clear()
    Service.looked = 0
    return services.hosted(Service)
