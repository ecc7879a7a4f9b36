"""The documented examples of live commerce, run in their order at the root and under the family's prefix."""

import io
import re
import zipfile
from typing import Any

import av
import httpx
import pytest

from tests.conftest import ROOT
from tests.documented import check, examples, filled
from tests.media import speech
from tests.trainings import ROWS

EXAMPLES = examples("live")
DOCUMENT = (ROOT / "docs/api/livestream.md").read_text(encoding="utf-8")


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as samples:
        samples.writestr("samples.jsonl", ROWS)
    return file.getvalue()


@pytest.fixture(scope="module")
def given() -> dict[str, bytes]:
    """The files that the examples send."""
    return {"sample.wav": speech(), "samples.zip": archive()}


def documented() -> set[str]:
    """METHOD and path of every route that the document names."""
    return {f"{method} {path}" for method, path in re.findall(r"\*\*Endpoint\*\*: `(\w+) (/[\w/:-]+)`", DOCUMENT)}


def test_every_documented_route_has_an_example() -> None:
    assert len(documented()) == 10
    assert documented() == {example["call"] for example in EXAMPLES}


@pytest.mark.parametrize("prefix", ["", "/live"])
def test_documented_examples(client: httpx.Client, given: dict[str, bytes], prefix: str) -> None:
    known: dict[str, Any] = {}
    for example in EXAMPLES:
        method, _, path = example["call"].partition(" ")
        files = {name: (file, given[file]) for name, file in example.get("files", {}).items()}
        answer = client.request(
            method,
            prefix + example.get("path", path),
            json=filled(example.get("json"), known),
            data=example.get("form"),
            files=files or None,
        )
        assert answer.status_code == example.get("status", 200), f"{example['call']}: {answer.text}"
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert body.keys() == {"code", "msg", "data"}
        if example.get("refused"):
            assert (body["code"], body["data"]) == (0, None) and body["msg"]
            continue
        assert body["code"] == 1 and body["msg"].startswith(example["msg"])
        data = body["data"]
        for name in example.get("more", []):
            del data[name]
        check(data, filled(example["data"], known), example["call"])
        known |= {name: data[field] for name, field in example.get("learn", {}).items()}
        if "audioUrl" in data:
            is_heard(client, data["audioUrl"])


def is_heard(client: httpx.Client, url: str) -> None:
    """The URL is absolute, at the host that was asked, and gives a labelled MP3 that can be decoded."""
    assert url.startswith(f"{client.base_url}".rstrip("/") + "/audio/generated_") and url.endswith(".mp3")
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert answer.headers["x-aigc-label"] == "1" and b"AIGC" in answer.content
    with av.open(io.BytesIO(answer.content)) as sound:
        assert sum(frame.samples for frame in sound.decode(audio=0)) > 22_050


def test_documented_models_come_first(client: httpx.Client) -> None:
    tts = client.get("/api/models/tts").json()["data"]["models"]
    assert [(model["id"], model["name"]) for model in tts[:2]] == [
        ("f5tts", "F5TTS (快速)"),
        ("cosyvoice", "CosyVoice (情感丰富)"),
    ]
    local = client.get("/api/models/local").json()["data"]["models"]
    assert [(model["id"], model["name"]) for model in local[:2]] == [
        ("chatglm2_6b", "ChatGLM2-6B"),
        ("llama2_7b_chat", "Llama2-7B-Chat"),
    ]
    assert [model["id"] for model in tts if model["ready"]] == ["matching"]
