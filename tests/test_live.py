"""What sellers rely on beyond the documented examples."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Cluster
from tests.media import speech
from tests.waiting import eventually

PRODUCT = {
    "productName": "第一印象香水",
    "features": ["国家级认证", "留香8小时"],
    "targetAudience": "上班族",
    "price": "￥1,288",
    "promotion": "买一送一",
}


def data(answer: httpx.Response) -> Any:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (200, 1), answer.text
    return body["data"]


@pytest.mark.parametrize("product", [PRODUCT, {"productName": "耳机", "features": ["降噪"]}, {"productName": "Lamp"}])
def test_copy_has_every_fact(client: httpx.Client, product: dict[str, Any]) -> None:
    copy = data(client.post("/api/product/generate-script", json=product))["scriptContent"]
    facts = [product["productName"], *product.get("features", [])]
    facts += [product[name] for name in ("targetAudience", "promotion") if name in product]
    assert all(fact in copy for fact in facts)
    assert "price" not in product or "1,288" in copy


def test_what_advertising_law_forbids_is_told_and_rewritten(client: httpx.Client) -> None:
    polished = data(client.post("/api/script/polish", json={"content": "这是全国第一的耳机，最便宜，只要288元。"}))
    assert "最便宜" not in polished["content"] and "288" in polished["content"]
    copy = data(client.post("/api/product/generate-script", json=PRODUCT))
    kept = {flag["term"] for flag in copy["flags"] if not flag["rewritten"]}
    assert kept >= {"国家级"}  # the seller's own fact stands, and is told of


@pytest.mark.parametrize(("action", "size"), [("set_length_50", 50), ("set_length_100", 100), ("set_length_200", 200)])
def test_lengths_are_met(client: httpx.Client, action: str, size: int) -> None:
    draft = data(
        client.post("/api/script/refine", json={"currentText": "保温杯", "action": "generate_draft", "step": 1})
    )
    body = {"currentText": draft["refinedText"], "action": action, "step": draft["nextStep"]}
    refined = data(client.post("/api/script/refine", json=body))
    assert 0.8 * size <= len("".join(refined["refinedText"].split())) <= 1.2 * size
    assert action in refined["availableActions"]


def test_the_wizard_ends(client: httpx.Client) -> None:
    text, step = "介绍一款保温杯", 1
    for action in ("generate_draft", "correct_grammar", "make_lively", "add_interaction", "finish"):
        answer = data(client.post("/api/script/refine", json={"currentText": text, "action": action, "step": step}))
        text, step = answer["refinedText"], answer["nextStep"]
    assert answer["availableActions"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/product/generate-script", PRODUCT),
        ("/live/api/script/polish", {"content": "欢迎大家，今天卖耳机。"}),
        ("/api/script/refine", {"currentText": "保温杯", "action": "generate_draft", "step": 1}),
    ],
)
def test_text_is_streamed_while_it_is_written(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    with client.stream("POST", path, params={"stream": "true"}, json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-aigc-label"] == "1"
        lines = [line for line in answer.iter_lines() if line]
    events = list(zip(lines[::2], lines[1::2], strict=True))
    assert [name for name, _ in events][-1] == "event: result"
    assert {name for name, _ in events[:-1]} <= {"event: delta", "event: restart"} and len(events) > 3
    result = json.loads(events[-1][1].removeprefix("data: "))
    assert result["code"] == 1 and result["data"].keys() == data(client.post(path, json=body)).keys()


def test_a_refusal_is_no_stream(client: httpx.Client) -> None:
    answer = client.post("/api/script/polish", params={"stream": "true"}, json={"content": " "})
    assert answer.json()["code"] == 0


def test_ids_are_the_time_and_unique_under_load(client: httpx.Client) -> None:
    before_ms = time.time_ns() // 1_000_000
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda number: client.post("/api/scripts", json={"name": str(number)}), range(60)))
    ids = [int(data(answer)["id"]) for answer in saved]
    assert len(set(ids)) == 60 and before_ms <= min(ids) and max(ids) < before_ms + 60_000
    assert all(len(data(answer)["id"]) == 13 for answer in saved)


def speak(client: httpx.Client, **headers: str) -> httpx.Response:
    files = {"voiceSample": ("sample.wav", speech())}
    return client.post("/api/tts/generate-cloned", data={"text": "欢迎来到直播间"}, files=files, headers=headers)


def test_who_does_not_wait_has_the_job_at_once(cluster: Cluster, new_user: Callable[[], httpx.Client]) -> None:
    client, uploads = new_user(), cluster.var / "artifacts" / "uploads"
    before = set(uploads.rglob("*.wav"))  # voices that the digital human keeps
    answer = speak(client, Prefer="respond-async")
    assert (answer.status_code, answer.json()["data"]["audioUrl"]) == (202, None)
    job = answer.json()["data"]["task_id"]
    eventually(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "completed")
    assert client.get(f"/audio/generated_{job}.mp3").headers["content-type"] == "audio/mpeg"
    assert set(uploads.rglob("*.wav")) <= before  # no voice is kept


def test_who_leaves_loses_nothing(cluster: Cluster, new_user: Callable[[], httpx.Client]) -> None:
    client = new_user()
    request = client.build_request(
        "POST", "/api/tts/generate-cloned", data={"text": "你好"}, files={"voiceSample": ("a.wav", speech())}
    )
    body, url = request.read(), httpx.URL(cluster.url)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall("\r\n".join(["POST /api/tts/generate-cloned HTTP/1.1", *lines, "", ""]).encode() + body)
        eventually(lambda: client.get("/v1/jobs").json()["data"])
    job = client.get("/v1/jobs").json()["data"][0]["id"]
    eventually(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "completed")
    assert client.get(f"/audio/generated_{job}.mp3").status_code == 200


def test_the_url_is_at_the_host_that_was_asked(client: httpx.Client) -> None:
    answer = speak(client, Host="shop.example:8443", **{"X-Forwarded-Proto": "https"})
    assert data(answer)["audioUrl"].startswith("https://shop.example:8443/audio/generated_")


def test_a_large_body_grows_no_memory(cluster: Cluster, client: httpx.Client, tmp_path: Path) -> None:
    """200 MiB through the whole cluster; what is larger is refused before it is read."""
    from tests.processes import replica

    ingress = replica(cluster, "ingress")
    client.get("/healthz")
    before = ingress.memory_info().rss
    large = tmp_path / "film.mp4"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    with large.open("rb") as file:
        answer = client.post("/v1/verify", files={"file": file})
    assert answer.json() == {"label": None} | answer.json() and answer.status_code == 200, answer.text
    assert ingress.memory_info().rss - before < 64 << 20
    url = httpx.URL(cluster.url)
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        head = ["POST /v1/verify HTTP/1.1", f"Host: {url.host}", f"Content-Length: {202 << 20}"]
        head += ["Content-Type: multipart/form-data; boundary=x", "", ""]
        connection.sendall("\r\n".join(head).encode() + b"--x\r\n")
        assert b" 413 " in connection.recv(4096)
