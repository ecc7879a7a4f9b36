"""The documented examples of the digital human, each document's in its own form, where it answers."""

import io
import re
from typing import Any

import av
import httpx
import pytest

from contracts.settings import Settings
from store.artifacts import Artifacts
from tests.conftest import ROOT, Cluster
from tests.documented import check, examples, filled
from tests.media import speech, talkie

V1, V2 = examples("human-v1"), examples("human-v2")


def document(name: str) -> str:
    return (ROOT / f"docs/api/echofu-{name}.md").read_text(encoding="utf-8")


def documented_v1() -> set[str]:
    found = re.findall(r"- URL: `([^`]+)`.*\n- Method: `(\w+)`", document("v1"))
    return {f"{method} {path}" for path, method in found}


def documented_v2() -> set[str]:
    found = re.findall(r"^## \d+\. .*\((/.+)\)\n+\*\*请求方式\*\*: (\w+)", document("v2"), re.MULTILINE)
    return {f"{method} {path}" for path, method in found}


def test_every_documented_route_has_an_example() -> None:
    assert (len(documented_v1()), len(documented_v2())) == (15, 9)
    assert documented_v1() | {"GET /api/train-status/<task_id>"} == {example["call"] for example in V1}
    assert documented_v2() == {example["call"] for example in V2}


@pytest.fixture(scope="module")
def given() -> dict[str, bytes]:
    """The files that the examples send."""
    return {"audio": speech(), "video": talkie(speech(), 5.0)}


@pytest.fixture
def trained(cluster: Cluster) -> None:
    """A trained avatar in the store."""
    artifacts = Artifacts(Settings(var=cluster.var))
    for name in ("weights.safetensors", "manifest.json"):
        artifacts.upload(f"models/ER-NeRF/task_id/{name}", b"weights", "address:nobody")


def ask(
    client: httpx.Client, given: dict[str, bytes], prefix: str, example: dict[str, Any], known: dict[str, Any]
) -> httpx.Response:
    method, _, path = example["call"].partition(" ")
    files = {field: (name, given[field]) for field, name in example.get("files", {}).items()}
    form, asked = filled(example.get("form"), known), filled(example.get("path", path), known)
    return client.request(method, prefix + asked, data=form, files=files or None)


def learn(example: dict[str, Any], body: Any, known: dict[str, Any]) -> None:
    for name, field in example.get("learn", {}).items():
        known[name] = body[field]
    if "made" in known:
        known["made_name"] = known["made"].rpartition("/")[2]


def is_documented(example: dict[str, Any], answer: httpx.Response, known: dict[str, Any]) -> None:
    """Every documented field, and beyond those only the ones that are named."""
    call = example["call"]
    assert answer.status_code == example.get("status", 200), f"{call}: {answer.text}"
    if "type" in example:
        assert answer.headers["content-type"] == example["type"] and len(answer.content) > 1_000
        return
    body = answer.json()
    if isinstance(body, dict):
        more = {name: body.pop(name) for name in example.get("more", [])}
        assert not [gpu for gpu in more.get("gpus", []) if len(gpu) != 5]
        if "said" in example:
            assert body.pop("message").startswith(example["said"]), call
    check(body, filled(example["answer"], known), call)


def test_v1(client: httpx.Client, given: dict[str, bytes], trained: None) -> None:
    known: dict[str, Any] = {}
    for example in V1:
        answer = ask(client, given, "/human/v1", example, known)
        is_documented(example, answer, known)
        if "learn" in example:
            learn(example, answer.json(), known)
    stop_training(client, known)
    assert known["made"].startswith("static/videos/res_videos/")
    is_heard(client, f"/human/v1/{known['spoken']}")
    is_seen(client, f"/human/v1/{known['made']}")


def test_a_model_has_one_name(client: httpx.Client, trained: None) -> None:
    assert client.get("/api/model-details/ER-NeRF/task_id").status_code == 200
    assert client.get("/api/model-details/ER-NeRF/TASK_ID").status_code == 404


@pytest.mark.parametrize("prefix", ["", "/human"])
def test_v2(client: httpx.Client, given: dict[str, bytes], prefix: str) -> None:
    known = uploaded(client, given)
    for example in V2:
        answer = ask(client, given, prefix, example, known)
        is_documented(example, answer, known)
        if "learn" in example:
            learn(example, answer.json(), known)
    stop_training(client, known)
    is_heard(client, prefix + known["spoken"])
    is_seen(client, f"{prefix}{known['made']}?t=1766030654123")  # as its client asks for it


@pytest.mark.parametrize("prefix", ["", "/human"])
def test_v1_is_answered_with_the_fields_of_both(
    client: httpx.Client, given: dict[str, bytes], trained: None, prefix: str
) -> None:
    """At the root and under /human v1's examples are answered too, with v2's paths and words."""
    known: dict[str, Any] = {}
    for example in V1:
        answer = ask(client, given, prefix, example, known)
        assert answer.status_code == example.get("status", 200), answer.text
        if isinstance(example.get("answer"), dict):
            assert answer.json().keys() >= example["answer"].keys(), example["call"]
            learn(example, answer.json(), known)
    stop_training(client, known)
    assert known["made"].startswith("/static/videos/res_videos/")


def stop_training(client: httpx.Client, known: dict[str, Any]) -> None:
    """Nobody waits for it."""
    assert client.post(f"/api/training/stop/{known['training']}").status_code == 200


def uploaded(client: httpx.Client, given: dict[str, bytes]) -> dict[str, Any]:
    voice = client.post("/api/upload-reference-audio", files={"audio": ("audio.wav", given["audio"])}).json()
    brought = client.post("/api/upload-training-video", files={"video": ("video.mp4", given["video"])}).json()
    return {"voice": voice["relative_path"], "film": brought["relative_path"]}


def is_heard(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.headers["x-aigc-label"] == "1" and b"AIGC" in answer.content
    with av.open(io.BytesIO(answer.content)) as sound:
        assert sum(frame.samples for frame in sound.decode(audio=0)) > 8_000


def is_seen(client: httpx.Client, path: str) -> None:
    """A film with sound, whole and in parts."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    with av.open(io.BytesIO(answer.content)) as container:
        assert len(container.streams.video) == len(container.streams.audio) == 1
    part = client.get(path, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, answer.content[4:8]) and part.content == b"ftyp"
