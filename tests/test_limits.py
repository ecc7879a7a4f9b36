"""Large bodies at a real server: refused early, taken in little memory; nothing stays of broken ones."""

import json
import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.limits import DEFAULT_BYTES, Limit
from api.uploads import FIELD_BYTES, MOST_FILES, folder_of
from cli.environment import free_port
from contracts.settings import Settings
from tests.media import film, sound
from tests.upload_server import OWNER
from tests.waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
BOUNDARY = "----parts"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass
class Server:
    port: int
    pid: int
    files: Path
    scratch: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spooled(self) -> list[str]:
        """Temporary files that it holds open, most without a name."""
        names = [str(descriptor.resolve()) for descriptor in Path(f"/proc/{self.pid}/fd").iterdir()]
        return [name for name in names if name.startswith(str(self.scratch))]

    def forget_memory(self) -> int:
        """Bytes now; `most_memory` counts from here."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self.most_memory()

    def most_memory(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * KIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("uploads"), free_port()
    (folder / "tmp").mkdir()
    environment = os.environ | {
        "TROUPE_VAR": str(folder / "var"),
        "TROUPE_AUDIO_MIB": "1",
        "TROUPE_MIN_FREE_GIB": "0",
        "TMPDIR": str(folder / "tmp"),
    }
    command = [sys.executable, "-m", "tests.upload_server", str(port)]
    with subprocess.Popen(command, env=environment) as process:
        server = Server(port, process.pid, folder / "var" / "artifacts", folder / "tmp")
        try:
            eventually(lambda: process.poll() or httpx.get(f"{server.url}/healthz"), 60, but=httpx.HTTPError)
            yield server
        finally:
            process.terminate()


class Sender:
    """A client that looks at what comes back when it wants to."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket, self.reader = connection, connection.makefile("rb")

    def post(self, path: str, *headers: str) -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: multipart/form-data; boundary={BOUNDARY}"]
        self.socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode())

    def send(self, size_bytes: int, wrap: Callable[[bytes], bytes] = lambda piece: piece) -> None:
        piece = wrap(bytes(64 * KIB))
        for _ in range(size_bytes // (64 * KIB)):
            self.socket.sendall(piece)

    def answer(self) -> tuple[int, dict[str, str], dict]:
        """Status, headers and all of the body, which may come long before the server is done with the request."""
        reader = self.reader
        status = int(reader.readline().split()[1])
        lines = iter(lambda: reader.readline().decode().strip(), "")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return status, headers, json.loads(reader.read(int(headers["content-length"])))

    def ended(self) -> bool:
        return self.reader.read(1) == b""


@pytest.fixture
def sender(server: Server) -> Iterator[Sender]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        sender = Sender(connection)
        with sender.reader:
            yield sender


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


@pytest.mark.parametrize(("path", "announced"), [("/api/task/new", 8 * MIB), ("/film", 201 * MIB)])
def test_an_announced_body_is_refused_before_it_is_read(
    server: Server, sender: Sender, path: str, announced: int
) -> None:
    """And its sender, who goes on to the end, is not cut off."""
    sender.post(path, f"Content-Length: {announced}")
    status, headers, body = sender.answer()
    assert (status, body, headers["connection"]) == (413, {"detail": "请求体过大"}, "close")
    sender.send(announced)
    assert sender.ended()
    assert not server.spooled()


def test_who_stops_sending_when_refused_is_let_go(sender: Sender) -> None:
    sender.post("/film", f"Content-Length: {300 * MIB}")
    assert sender.answer()[0] == 413
    sender.socket.shutdown(socket.SHUT_WR)
    assert sender.ended()


def test_a_body_of_unknown_length_is_refused_when_it_is_too_much(sender: Sender) -> None:
    sender.post("/api/task/new", "Transfer-Encoding: chunked")
    sender.send(DEFAULT_BYTES, chunk)
    assert not select.select([sender.socket], [], [], 0)[0]
    sender.send(64 * KIB, chunk)
    assert sender.answer()[::2] == (413, {"detail": "请求体过大"})
    sender.send(8 * MIB, chunk)
    sender.socket.sendall(b"0\r\n\r\n")
    assert sender.ended()


def test_a_common_client_sees_the_refusal(server: Server) -> None:
    for content in (bytes(20 * MIB), iter([bytes(MIB)] * 20)):
        answer = httpx.post(f"{server.url}/api/task/new", content=content)
        assert (answer.status_code, answer.json()) == (413, {"detail": "请求体过大"})


def test_a_large_film_is_kept_in_little_memory(server: Server, sender: Sender) -> None:
    small = film("mp4", "libx264")
    assert httpx.post(f"{server.url}/film", files={"file": small}, timeout=60).status_code == 200
    before = server.forget_memory()
    content = small + struct.pack(">I4s", 200 * MIB - len(small), b"free")
    sender.post("/film", f"Content-Length: {len(HEAD) + 200 * MIB + len(TAIL)}")
    sender.socket.sendall(HEAD + content + bytes(-len(content) % (64 * KIB)))
    sender.send(200 * MIB - len(content))
    sender.socket.sendall(TAIL)
    sender.socket.settimeout(60)
    status, _, artifact = sender.answer()
    assert (status, artifact["size_bytes"], artifact["media_type"]) == (200, 200 * MIB, "video/mp4")
    assert (server.files / artifact["key"]).stat().st_size == 200 * MIB
    assert server.most_memory() - before < 64 * MIB
    eventually(lambda: not server.spooled() and not list(server.scratch.iterdir()))


def test_a_broken_connection_leaves_no_file(server: Server, sender: Sender) -> None:
    kept = set(server.files.rglob("*"))
    sender.post("/film", f"Content-Length: {100 * MIB}")
    sender.socket.sendall(HEAD)
    sender.send(4 * MIB)
    eventually(server.spooled)
    sender.reader.close()
    sender.socket.close()
    eventually(lambda: not server.spooled())
    assert not list(server.scratch.iterdir())
    assert set(server.files.rglob("*")) == kept


def test_a_file_larger_than_its_kind_may_be_is_refused(server: Server) -> None:
    """The form may have more: it could have held a picture too."""
    content = sound("wav", "pcm_s16le", 48_000, 12)
    answer = httpx.post(f"{server.url}/sound", files={"voice": content})
    assert (answer.status_code, answer.json()) == (413, {"detail": "voice: 音频不能超过 1 MB。"})


def test_the_content_says_what_is_kept(server: Server) -> None:
    content = sound("webm", "libopus", 48_000)
    answer = httpx.post(f"{server.url}/sound", files={"voice": ("../../input.wav", content, "audio/wav")})
    assert answer.status_code == 200, answer.text
    artifact = answer.json()
    assert artifact["media_type"] == "audio/webm" and Path(artifact["key"]).suffix == ".weba"
    assert Path(artifact["key"]).parent == Path(folder_of(OWNER))
    assert (server.files / artifact["key"]).read_bytes() == content


def test_what_is_refused_is_not_kept(server: Server) -> None:
    kept = set(server.files.rglob("*"))
    for content in (b"", b"PK\3\4", b"<html>", sound("wav", "pcm_s16le", 16_000)[:44]):
        answer = httpx.post(f"{server.url}/sound", files={"voice": ("a.mp3", content)})
        assert answer.status_code in (415, 422) and answer.json()["detail"].startswith("voice: "), answer.text
    assert set(server.files.rglob("*")) == kept
    eventually(lambda: not server.spooled() and not list(server.scratch.iterdir()))


@pytest.mark.parametrize(
    "parts",
    [
        [("voice", ("a.wav", b"x"))] * (MOST_FILES + 1),
        [("title", (None, b"x" * (FIELD_BYTES + 1)))],
        [(f"field{number}", (None, b"x")) for number in range(100)],
    ],
)
@pytest.mark.parametrize("path", ["/film", "/v1/verify"])
def test_forms_are_small_but_for_their_files(server: Server, parts: list, path: str) -> None:
    assert httpx.post(f"{server.url}{path}", files=parts).status_code == 422


def test_limits_by_kind_follow_the_settings() -> None:
    settings = Settings(image_mib=3, video_mib=7)
    assert Limit(("image", "video")).most_bytes(settings) == 10 * MIB + DEFAULT_BYTES
    assert Limit((5 * MIB,)).most_bytes(settings) == 5 * MIB
