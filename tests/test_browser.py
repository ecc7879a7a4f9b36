"""A front end of another origin, in a real browser: it uploads, clones, generates, plays, and shows refusals."""

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cluster
from tests.media import speech

PAGE = Path(__file__).parent / "pages" / "human.html"
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
DONE_S = 90

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian's package of that name)")


@pytest.fixture
def front_end(tmp_path: Path) -> Iterator[tuple[str, "queue.Queue[dict[str, Any]]"]]:
    """The page at an origin of its own, and what it tells."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    shutil.copy(PAGE, tmp_path / "index.html")
    (tmp_path / "sample.wav").write_bytes(speech())

    class Origin(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Origin(*args, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()
        thread.join()


def test_a_front_end_works_unchanged(
    cluster: Cluster, front_end: tuple[str, "queue.Queue[dict[str, Any]]"], tmp_path: Path
) -> None:
    page, answers = front_end
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}/profile", f"{page}?api={cluster.url}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            told = answers.get(timeout=DONE_S)
        finally:
            browser.terminate()
    assert "error" not in told, told
    assert told["upload"]["original_name"] == "主播 声音.wav" and told["upload"]["filename"].endswith(".wav")
    assert told["saved"]["status"] == told["cloned"]["status"] == "success"
    assert "speaker_1" in told["voices"]
    assert 0.5 < told["sound_s"] < 10
    assert 0.5 < told["played"]["seconds"] < 10 and told["played"]["width"] >= 256
    assert "肖像" in told["film"]["message"]
    assert len(told["messages"]) == 3 and all(message.startswith("操作失败！") for message in told["messages"])
    assert told["history"] >= 1
