"""What live commerce refuses, in its own words: HTTP 200 with code 0, but for what proxies and browsers act upon."""

import io
import zipfile
from typing import Any

import httpx
import pytest

from tests.media import picture, speech
from tests.wording import in_chinese

COPY = {"productName": "新款智能降噪耳机", "features": ["主动降噪"], "price": "288"}
STEP = {"currentText": "欢迎进入直播间。", "action": "generate_draft", "step": 1}
SAMPLES = b'{"instruction": "a", "output": "b"}\n{"instruction": "c", "output": "d"}\n'
SCRIPT = {"name": "618大促通用脚本", "fragmentName": "开场白", "content": "家人们"}


def refused(answer: httpx.Response, named: str, status: int = 200) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"code", "msg", "data"} and (body["code"], body["data"]) == (0, None)
    assert named in body["msg"] and in_chinese(body["msg"])


@pytest.mark.parametrize("prefix", ["", "/live"])
@pytest.mark.parametrize(
    ("path", "body", "change", "named"),
    [
        ("/api/scripts", SCRIPT, {"name": None}, "name"),
        ("/api/scripts", SCRIPT, {"name": 5}, "name"),
        ("/api/scripts", SCRIPT, {"name": " "}, "name"),
        ("/api/scripts", SCRIPT, {"content": ["a"]}, "content"),
        ("/api/scripts", SCRIPT, {"content": "长" * 50_001}, "content"),
        ("/api/scripts", SCRIPT, {"id": "1678886400001"}, "id"),
        ("/api/scripts", SCRIPT, {"id": [1]}, "id"),
        ("/api/scripts", SCRIPT, {"id": 1678886400001}, "id"),
        ("/api/scripts", SCRIPT, {"id": "../../etc/passwd"}, "id"),
        ("/api/scripts", SCRIPT, {"id": "9" * 400}, "id"),
        ("/api/product/generate-script", COPY, {"productName": ""}, "productName"),
        ("/api/product/generate-script", COPY, {"productName": None}, "productName"),
        ("/api/product/generate-script", COPY, {"features": "主动降噪"}, "features"),
        ("/api/product/generate-script", COPY, {"features": [""]}, "features"),
        ("/api/product/generate-script", COPY, {"features": ["\u200b"]}, "features"),
        ("/api/product/generate-script", COPY, {"features": ["a"] * 21}, "features"),
        ("/api/product/generate-script", COPY, {"price": 288}, "price"),
        ("/api/product/generate-script", COPY, {"price": {"a": 1}}, "price"),
        ("/api/script/polish", {"content": "a"}, {"content": ""}, "content"),
        ("/api/script/polish", {"content": "a"}, {"content": " \n"}, "content"),
        ("/api/script/polish", {"content": "a"}, {"content": "长" * 33_000}, "content"),
        ("/api/script/refine", STEP, {"action": "explode"}, "action"),
        ("/api/script/refine", STEP, {"action": "set_length_50"}, "action"),
        ("/api/script/refine", STEP, {"action": "set_length_5", "step": 2}, "action"),
        ("/api/script/refine", STEP, {"step": 9}, "step"),
        ("/api/script/refine", STEP, {"step": -1}, "step"),
        ("/api/script/refine", STEP, {"step": "eins"}, "step"),
        ("/api/script/refine", STEP, {"step": 1.5}, "step"),
        ("/api/script/refine", STEP, {"currentText": " "}, "currentText"),
    ],
)
def test_bodies(client: httpx.Client, prefix: str, path: str, body: Any, change: Any, named: str) -> None:
    asked = {name: value for name, value in (body | change).items() if value is not None}
    refused(client.post(prefix + path, json=asked), named)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"null", b'{"content": NaN}', b"\xff\xfe", b'{"content": "\\ud800"}']
)
@pytest.mark.parametrize("path", ["/api/scripts", "/api/script/polish", "/live/api/script/refine"])
def test_broken_bodies(client: httpx.Client, path: str, content: bytes) -> None:
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    refused(answer, "")


def hostile_zip(name: str, content: bytes = b"a") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("form", "sample", "named"),
    [
        ({}, speech(), "text"),
        ({"text": ""}, speech(), "text"),
        ({"text": " "}, speech(), "text"),
        ({"text": "长" * 2_001}, speech(), "text"),
        ({"text": "你好", "modelId": "nobody"}, speech(), "modelId"),
        ({"text": "你好", "modelId": "../../etc/passwd"}, speech(), "modelId"),
        ({"text": "你好"}, None, "voiceSample"),
        ({"text": "你好"}, b"", "voiceSample"),
        ({"text": "你好"}, speech()[:44], "voiceSample"),
        ({"text": "你好"}, HTML, "voiceSample"),
        ({"text": "你好"}, b"\x89PNG\r\n\x1a\n" + HTML, "voiceSample"),
        ({"text": "你好"}, picture(), "voiceSample"),
        ({"text": "你好"}, b"ID3\x03\x00\x00\x00\x00\x00\x00" + hostile_zip("a.txt"), "voiceSample"),
    ],
)
def test_voice_samples(client: httpx.Client, form: dict[str, str], sample: bytes | None, named: str) -> None:
    files = {"voiceSample": ("sample.wav", sample)} if sample is not None else {"other": ("x", b"x")}
    refused(client.post("/api/tts/generate-cloned", data=form, files=files), named)


def test_a_voice_model_that_is_absent_says_what_to_do(client: httpx.Client) -> None:
    files = {"voiceSample": ("sample.wav", speech())}
    answer = client.post("/api/tts/generate-cloned", data={"text": "你好", "modelId": "f5tts"}, files=files)
    refused(answer, "F5-TTS", 503)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HTML,
        hostile_zip("../../etc/passwd"),
        hostile_zip("/etc/passwd"),
        hostile_zip("C:\\x.txt"),
        hostile_zip("a.exe"),
        hostile_zip("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)),
        hostile_zip("a.txt", b"a" * (50 << 20)),
        hostile_zip("a.txt")[:-20],
    ],
)
def test_training_samples(client: httpx.Client, content: bytes) -> None:
    files = {"trainingSamples": ("samples.zip", content)}
    answer = client.post("/api/training/start", data={"modelId": "chatglm2_6b"}, files=files)
    refused(answer, "trainingSamples", 413 if len(content) > 10_000 else 200)


def test_a_training_of_a_model_that_is_absent_is_refused(client: httpx.Client) -> None:
    files = {"trainingSamples": ("samples.zip", hostile_zip("a.jsonl", SAMPLES))}
    refused(client.post("/api/training/start", data={"modelId": "chatglm2_6b"}, files=files), "chatglm2_6b", 503)
    refused(client.post("/api/training/start", data={"modelId": "nobody"}, files=files), "modelId")


@pytest.mark.parametrize("job", ["train_task_abcde12345", "%2e%2e", "a%00b", "x" * 2_000])
def test_unknown_training_jobs(client: httpx.Client, job: str) -> None:
    refused(client.get(f"/live/api/training/status/{job}"), "jobId")


def test_a_training_job_is_no_path(client: httpx.Client) -> None:
    answer = client.get("/live/api/training/status/..%2f..%2fetc%2fpasswd")
    assert (answer.status_code, answer.json()) == (404, {"detail": "路径不存在"})


@pytest.mark.parametrize(
    "name", ["generated_0.mp3", "..%2f..%2fetc%2fpasswd", "%2e%2e%2fscripts", "C:%5cx", "a%00b", ".hidden", "x" * 600]
)
@pytest.mark.parametrize("prefix", ["", "/live"])
def test_sounds_that_are_not_there(client: httpx.Client, prefix: str, name: str) -> None:
    assert client.get(f"{prefix}/audio/{name}").status_code == 404


def test_the_method_and_size_keep_their_status(client: httpx.Client) -> None:
    refused(client.put("/api/scripts", json=SCRIPT), "", 405)
    refused(client.post("/api/script/polish", content=b"x" * (1 << 20)), "", 413)
