"""A server that speaks the protocol of CosyVoice's `runtime/python/fastapi`, and fails as real ones do.

It hums for as long as the text takes to say. Which way it fails is said by the first part of the path.
"""

import time
from contextlib import AbstractContextManager
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import numpy as np

from tests import services

RATE_HZ, SECONDS_A_CHARACTER, LONG_S = 24_000, 0.2, 30.0


def hum(text: str) -> bytes:
    times = np.arange(int(RATE_HZ * SECONDS_A_CHARACTER * len(text))) / RATE_HZ
    voiced = sum(np.sin(2 * np.pi * 120 * overtone * times) / overtone for overtone in range(1, 12))
    return np.int16(voiced * 6_000).astype("<i2").tobytes()


class Service(services.Service):
    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        fields = fields_of(self.headers["content-type"], content)
        self.asked.append({"path": self.path} | fields)
        kind, _, detail = self.path.split("/")[1].partition("-")
        pcm = hum(fields["tts_text"])
        if kind == "status":
            self.send_response(int(detail))
            self.end_headers()
            self.wfile.write(b'{"detail": "a secret path"}')
            return
        if kind == "silent":
            self.left.wait(LONG_S)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(pcm) + (2 if kind == "breaks" else 0)))
        self.end_headers()
        if kind == "empty":
            return
        self.wfile.write(pcm[: len(pcm) // 2])
        time.sleep(0.01)
        self.wfile.write(pcm[len(pcm) // 2 :])


def fields_of(kind: str, content: bytes) -> dict[str, Any]:
    """The fields of a form, multipart or urlencoded: text as text, files as bytes."""
    if kind.startswith("application/x-www-form-urlencoded"):
        from urllib.parse import parse_qsl

        return dict(parse_qsl(content.decode()))
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name, body = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        fields[name] = body if part.get_filename() else body.decode()
    return fields


def serving() -> AbstractContextManager[str]:
    return services.hosted(Service)
