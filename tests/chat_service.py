"""A chat service that fails as real ones do; which way is said by the model's name."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests import services

LONG_S = 30.0


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


class Service(services.Service):
    """`status-<n>` refuses so; `silent` says nothing; `long` refuses as vLLM does; `busy` refuses once, then answers;
    `breaks`, `filtered`, `garbled`, `thinks` and `endless` begin."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        kind, _, detail = body["model"].partition("-")
        if kind == "status":
            self.send_response(int(detail))
            self.send_header("Retry-After", "7")
            self.send_header("x-should-retry", "false")
            self.end_headers()
        elif kind == "long" or (kind == "busy" and len(self.asked) == 1):
            said = json.dumps({"error": {"message": "This model's maximum context length is 8 tokens", "code": 400}})
            self.send_response(400 if kind == "long" else 503)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(said.encode())
        elif kind == "silent":
            self.left.wait(LONG_S)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(chunk("" if kind == "thinks" else "家人们"))
            self.write_on(kind)

    def write_on(self, kind: str) -> None:
        if kind == "filtered":
            self.wfile.write(chunk("", "content_filter"))
        if kind == "busy":
            self.wfile.write(chunk("", "stop"))
        if kind == "thinks":
            self.left.wait(LONG_S)
        if kind == "garbled":
            self.wfile.write(b'data: {"choices\n\n')
        until_s = time.monotonic() + LONG_S
        while kind == "endless" and time.monotonic() < until_s:
            try:
                self.wfile.write(chunk("好"))
                time.sleep(0.01)
            except OSError:
                self.left.set()
                return


@contextmanager
def serving() -> Iterator[str]:
    """The URL to give to a client."""
    with services.hosted(Service) as url:
        yield f"{url}/v1"
