"""Trainings of the multimedia family: started, looked at, stopped; what is asked is checked to the last field."""

import json
import re
from collections.abc import AsyncGenerator
from typing import Any
from unittest import mock

import httpx
import pytest

from api.callers import Caller
from api.media.datasets import find_dataset
from api.media.starting import claim
from api.paths import home
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Conflict
from contracts.human import TRAIN
from contracts.jobs import Job
from contracts.platform import CLASSIFIER, LORA
from contracts.sight import Classified
from jobs.jobs import new_id
from tests.conftest import ROOT
from tests.documented import check, examples, filled
from tests.media import picture
from tests.trainings import FIGURES, LORA_START, PICTURES, ROWS, START, Trainer, Workshop, bring, packed, refused

pytest_plugins = ["tests.workshop"]
EXAMPLES = examples("media-training")
DOCUMENT = (ROOT / "docs/api/platform.md").read_text(encoding="utf-8")
PLACES = (("猫", 50), ("猫", 51), ("狗", 52), ("狗", 53))
PREFIXES = pytest.mark.parametrize("prefix", ["", "/media"])
STARTS = {
    "/api/training/start": START,
    "/api/llm-finetuning/lora/start": LORA_START,
    "/api/llm-finetuning/qlora/start": LORA_START,
}


@pytest.fixture
def ready(trainer: Trainer) -> Trainer:
    """Has brought the datasets of the documented examples."""
    for name, content in (("my_dataset.zip", PICTURES), ("instruction_data.jsonl", ROWS)):
        assert bring(trainer, name, content).status_code == 200
    return trainer


def test_every_documented_route_has_an_example() -> None:
    found = re.findall(r"```http\n(\w+) (/(?:training|llm-finetuning)/[\w/{}-]+)", DOCUMENT)
    assert len(found) == 7
    assert {f"{method} /api{path}" for method, path in found} == {example["call"] for example in EXAMPLES}


@PREFIXES
def test_documented_examples(ready: Trainer, prefix: str) -> None:
    train, lora = ready.running(), ready.taught()
    ready.state.jobs.records.report(train, 0.45, "", FIGURES)
    known = {"train": f"train_{train}", "lora": f"lora_{lora}"}
    for example in EXAMPLES:
        method, _, path = example["call"].partition(" ")
        path = filled(example.get("path", path), known)
        answer = ready.http.request(method, prefix + path, json=filled(example.get("json"), known))
        if path.endswith(("/start", "/merge")):
            ended(ready, answer)
        assert answer.status_code == example.get("status", 200), f"{example['call']}: {answer.text}"
        if answer.is_success:
            check(answer.json(), filled(example["answer"], known), example["call"])
        else:
            refused(answer, example["names"], answer.status_code)


def ended(trainer: Trainer, answer: httpx.Response) -> None:
    """A training that has begun is stopped, so that its folder is free again."""
    assert answer.status_code == 200, answer.text
    trainer.http.post(f"/api/training/stop/{answer.json()['task_id']}")


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"base_model": "nobody"}, "base_model"),
    ({"base_model": ""}, "base_model"),
    ({"base_model": "film"}, "base_model"),
    ({"base_model": "glm-4-plus"}, "base_model"),
    ({"base_model": "../../etc/passwd"}, "base_model"),
    ({"dataset_path": "../../etc/passwd"}, "dataset_path"),
    ({"dataset_path": "/datasets/../../x"}, "dataset_path"),
    ({"dataset_path": "C:\\datasets\\x"}, "dataset_path"),
    ({"dataset_path": "\\\\server\\datasets\\x"}, "dataset_path"),
    ({"dataset_path": "/etc/passwd"}, "dataset_path"),
    ({"dataset_path": "/datasets/x%00"}, "dataset_path"),
    ({"dataset_path": "/datasets/x\0"}, "dataset_path"),
    ({"dataset_path": "/datasets"}, "dataset_path"),
    ({"dataset_path": " "}, "dataset_path"),
    ({"dataset_path": "/datasets/.work/x"}, "dataset_path"),
    ({"output_dir": "../../etc"}, "output_dir"),
    ({"output_dir": "/models/../x"}, "output_dir"),
    ({"output_dir": "/models/%2e%2e/x"}, "output_dir"),
    ({"output_dir": "D:\\models\\x"}, "output_dir"),
    ({"output_dir": "/datasets/x"}, "output_dir"),
    ({"output_dir": "/models/"}, "output_dir"),
    ({"output_dir": "/models/" + "长" * 100}, "output_dir"),
    ({"output_dir": "models/x\n"}, ""),  # what is around a name does not matter
    ({"epochs": 0}, "epochs"),
    ({"epochs": 10_001}, "epochs"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 1_025}, "batch_size"),
    ({"learning_rate": 0}, "learning_rate"),
    ({"learning_rate": 1.1}, "learning_rate"),
    ({"learning_rate": -1e-4}, "learning_rate"),
    ({"learning_rate": float("nan")}, "learning_rate"),
    ({"learning_rate": float("inf")}, "learning_rate"),
    ({"epochss": 3}, "epochss"),
]
OF_TRAINING: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "avatar"}, "model_type"),
    ({"model_type": ""}, "model_type"),
    ({"model_type": "llm_lora"}, "base_model"),
    ({"model_type": "llm_qlora", "base_model": "resnet50"}, "base_model"),
    ({"base_model": "llama-2-7b"}, "base_model"),
    ({"dataset_path": "/datasets/instruction_data.jsonl"}, "dataset_path"),
    ({"save_steps": 0}, "save_steps"),
]
OF_FINETUNING: list[tuple[dict[str, Any], str]] = [
    ({"base_model": "resnet50"}, "base_model"),
    ({"lora_r": 0}, "lora_r"),
    ({"lora_r": 257}, "lora_r"),
    ({"lora_alpha": 0}, "lora_alpha"),
    ({"lora_dropout": 1}, "lora_dropout"),
    ({"lora_dropout": -0.1}, "lora_dropout"),
    ({"lora_dropout": float("nan")}, "lora_dropout"),
    ({"max_length": 15}, "max_length"),
    ({"max_length": 8_193}, "max_length"),
    ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps"),
    ({"gradient_accumulation_steps": 1_025}, "gradient_accumulation_steps"),
]


def post(trainer: Trainer, path: str, body: Any) -> httpx.Response:
    """JSON as scripts write it, NaN and all."""
    return trainer.http.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})


@PREFIXES
def test_what_is_asked_wrongly_is_named(ready: Trainer, prefix: str) -> None:
    for path, body in STARTS.items():
        for change, named in CHANGES + (OF_TRAINING if body is START else OF_FINETUNING):
            answer = post(ready, prefix + path, body | change)
            if named:
                refused(answer, named)
            else:
                ended(ready, answer)


@pytest.mark.parametrize("value", [None, True, "", "x", "8", [], [8], {}, {"a": 1}, 1.5, -1, 10**30, "a\ud800"])
def test_values_of_other_types_are_named(ready: Trainer, value: Any) -> None:
    trial = {"task_id": "lora_001", "prompt": "你好", "max_tokens": 256}
    merge = {"task_id": "lora_001", "output_path": "/models/x"}
    bodies = STARTS | {"/api/llm-finetuning/test": trial, "/api/llm-finetuning/merge": merge}
    for path, body in bodies.items():
        for name in body:
            answer = post(ready, path, body | {name: value})
            words, fits = type(body[name]) is str, type(body[name]) is type(value)
            if value is None and not words:  # as good as none
                if path in STARTS:
                    ended(ready, answer)
                else:
                    refused(answer, "", 404)
            elif not (fits and words):  # a word may be anybody's, and is looked up
                refused(answer, name, 422)
            else:
                assert answer.status_code in (404, 422), answer.text
        wanting = {key: each for key, each in body.items() if key not in ("base_model", "task_id")}
        assert post(ready, path, wanting).status_code == 422


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5_000])
def test_broken_bodies(trainer: Trainer, content: bytes) -> None:
    for path in STARTS:
        answer = trainer.http.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422) and answer.json().keys() == {"detail"}, answer.text


def test_what_is_absent_is_named(ready: Trainer, workshop: Workshop) -> None:
    for path, body in STARTS.items():
        refused(post(ready, path, body | {"dataset_path": "/datasets/nothing"}), "dataset_path", 404)
        refused(post(workshop.trainer(), path, body), "dataset_path", 404)  # another's is told of as absent


@pytest.mark.parametrize("spelt", ["/datasets/my_dataset", "datasets\\my_dataset.zip", "./datasets/my_dataset"])
def test_paths_are_names_in_the_store(ready: Trainer, spelt: str) -> None:
    ended(ready, post(ready, "/api/training/start", START | {"dataset_path": spelt}))


class Naming:
    """A classifier that tells which model it was asked to answer as."""

    model = "resnet50"

    async def classify(self, picture: bytes, taught: str = "") -> list[Classified]:
        return [Classified(label=taught or "base", confidence=0.9)]


def test_a_classifier_answers_wherever_it_is_named(trainer: Trainer, workshop: Workshop) -> None:
    first, second = (trainer.taught_classifier() for _ in range(2))
    name, other = "resnet50:pets", workshop.trainer()

    def asked(who: Trainer, model: str) -> httpx.Response:
        form = {"model": model}
        return who.http.post("/api/image-recognition/classify", data=form, files={"image": ("a.png", picture())})

    with mock.patch.dict(trainer.state.engines.classifications, {"resnet50": Naming()}):
        for model, job_id in ((name, second), (f"train_{first}", first), (f"train_{second}", second)):
            answer = asked(trainer, model)
            told = answer.json()
            assert told["classifications"][0]["label"] == f"{home(trainer.owner)}/models/pets/{job_id}", answer.text
            assert told["label_set"] == "狗, 猫" and "x-troupe-model" not in answer.headers
            refused(asked(other, model), "model")
        assert asked(trainer, "resnet50").json()["classifications"][0]["label"] == "base"
        [listed] = [each for each in models_of(trainer) if each["id"] == name]
        assert listed["ready"] and listed["label_set"] == "狗, 猫" and f"train_{second}" in listed["description"]
        assert name not in [each["id"] for each in models_of(other)]
        path = f"/api/image-recognition/models/{name}"
        refused(other.http.delete(path), "model", 404)
        assert trainer.http.delete(path).json() == {"model": name, "removed": 2}
        refused(asked(trainer, name), "model")


def models_of(trainer: Trainer) -> list[dict[str, Any]]:
    return list(trainer.http.get("/api/image-recognition/models").json())


def test_two_trainings_do_not_write_one_folder(ready: Trainer, workshop: Workshop) -> None:
    output = f"{home(ready.owner)}/models/mine"
    job = ready.running(output=output)
    for path, body in STARTS.items():
        for theirs in ("/models/mine", "models/mine/deeper", "\\models\\mine"):
            refused(post(ready, path, body | {"output_dir": theirs}), "output_dir", 400)
        ended(ready, post(ready, path, body | {"output_dir": "/models/mine2"}))
    ready.state.jobs.records.cancel(job)
    mine = START | {"output_dir": "/models/mine"}
    refused(post(ready, "/api/training/start", mine), "output_dir", 400)  # it holds on
    ready.state.jobs.records.let_go(job)
    ended(ready, post(ready, "/api/training/start", mine))
    other = workshop.trainer()
    assert bring(other, "my_dataset.zip", PICTURES).status_code == 200
    ready.running(output=output)
    ended(other, post(other, "/api/training/start", mine))


def test_pictures_that_teach_nothing_are_refused(trainer: Trainer) -> None:
    for name, content, told in (
        ("one", packed(**{"猫/1.png": picture(), "猫/2.png": picture(width=50)}), "两个类别"),
        ("few", packed(**{"猫/1.png": picture(), "狗/1.png": picture(width=50)}), "图片太少"),
        ("empty", packed(**{"鸟/": b""}, **{f"{each}/{n}.png": picture(width=n) for each, n in PLACES}), "空的：鸟"),
    ):
        assert bring(trainer, f"{name}.zip", content).status_code == 200
        answer = post(trainer, "/api/training/start", START | {"dataset_path": f"/datasets/{name}"})
        refused(answer, told)
        assert "dataset_path" in answer.json()["detail"]


def sent(trainer: Trainer, path: str, media_type: str | None, content: bytes = b"{}") -> httpx.Response:
    headers = {"Content-Type": media_type} if media_type else {}
    return trainer.http.post(path, content=content, headers=headers)


@pytest.mark.parametrize(
    ("media_type", "root", "live", "media"),
    [
        ("application/json", "media", "live", "media"),
        ("Application/JSON; charset=utf-8", "media", "live", "media"),
        ("multipart/form-data; boundary=x", "live", "live", "415"),
        ("MULTIPART/form-data; boundary=x", "live", "live", "415"),
        ("application/x-www-form-urlencoded", "415", "live", "415"),
        ("text/plain", "415", "live", "415"),
        ("application/jsonx", "415", "live", "415"),
        ("multipart/mixed; boundary=x", "415", "live", "415"),
        (None, "415", "live", "415"),
    ],
)
def test_who_answers_a_start(trainer: Trainer, media_type: str | None, root: str, live: str, media: str) -> None:
    body = json.dumps(START).encode() if media_type and "json" in media_type.lower() else b"--x--\r\n"
    for prefix, wanted in (("", root), ("/live", live), ("/media", media)):
        answer = sent(trainer, f"{prefix}/api/training/start", media_type, body)
        if wanted == "live":
            assert (answer.status_code, answer.json()["code"]) == (200, 0), answer.text
        elif wanted == "415":
            refused(answer, "application/json", 415)
        else:
            refused(answer, "dataset_path", 404)


def test_a_body_may_be_as_large_as_its_family_says(trainer: Trainer) -> None:
    large = b"x" * (1 << 20)
    form = {"modelId": (None, "chatglm2_6b"), "trainingSamples": ("samples.zip", packed(**{"a.txt": large}) + large)}
    for prefix in ("", "/live"):
        answer = trainer.http.post(f"{prefix}/api/training/start", files=form)
        assert answer.status_code != 413 and answer.json()["code"] == 0
        answer = sent(trainer, f"{prefix}/api/training/start", "application/json", large)
        assert (answer.status_code, "code" in answer.json()) == ((413, False) if not prefix else (200, True))
    assert trainer.http.post("/media/api/training/start", files=form).status_code == 413
    refused(sent(trainer, "/media/api/training/start", "application/json", large), "", 413)


def test_other_methods_are_refused(trainer: Trainer) -> None:
    for prefix in ("", "/media"):
        for path in (*STARTS, "/api/llm-finetuning/test", "/api/training/stop/train_1"):
            refused(trainer.http.get(prefix + path), "", 405)
        refused(trainer.http.delete(f"{prefix}/api/training/status/train_1"), "", 405)
    assert trainer.http.delete("/api/training/status/train_task_1").json()["code"] == 0


def test_who_answers_a_status(trainer: Trainer) -> None:
    ours, theirs = f"train_{trainer.running()}", "train_20250102_030405"
    trainer.running(TRAIN, task_id=theirs)
    for prefix in ("", "/media"):
        for task_id in (ours, theirs):
            answer = trainer.http.get(f"{prefix}/api/training/status/{task_id}")
            assert (answer.status_code, answer.json()["task_id"]) == (200, task_id)
        refused(trainer.http.get(f"{prefix}/api/training/status/train_001"), "task_id", 404)
    for task_id in (ours, theirs, "train_001", "train_task_1"):
        answer = trainer.http.get(f"/live/api/training/status/{task_id}")
        assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert trainer.http.get("/api/training/status/train_task_1").json()["code"] == 0
    refused(trainer.http.get("/media/api/training/status/train_task_1"), "task_id", 404)


@pytest.mark.parametrize(
    "task_id", ["x", "train_", f"train_{'0' * 32}", "lora_001", "%2e%2e", "a%00b", "x" * 2_000, "train_20250102_030409"]
)
def test_unknown_trainings(trainer: Trainer, task_id: str) -> None:
    for prefix in ("", "/media"):
        refused(trainer.http.get(f"{prefix}/api/training/status/{task_id}"), "task_id", 404)
        refused(trainer.http.post(f"{prefix}/api/training/stop/{task_id}"), "task_id", 404)
        refused(trainer.http.get(f"{prefix}/api/llm-finetuning/status/{task_id}"), "task_id", 404)


def test_a_training_is_its_callers_alone(trainer: Trainer, workshop: Workshop) -> None:
    other = workshop.trainer()
    for kind, word in ((CLASSIFIER, "train"), (LORA, "lora")):
        task_id = f"{word}_{trainer.running(kind)}"
        refused(other.http.get(f"/api/training/status/{task_id}"), "task_id", 404)
        refused(other.http.post(f"/api/training/stop/{task_id}"), "task_id", 404)
        assert trainer.http.get(f"/api/training/status/{task_id}").json()["status"] == "running"
    trainer.running(TRAIN, task_id="train_20250102_030406")
    refused(other.http.post("/api/training/stop/train_20250102_030406"), "task_id", 404)


def test_a_status_tells_what_is_known(trainer: Trainer) -> None:
    job_id = trainer.queued(LORA, quantized=True, epochs=3)
    unknown = {
        "current_step": 0,
        "total_steps": 0,
        "current_epoch": 0,
        "loss": 0.0,
        "learning_rate": 0.0,
        "metrics": {},
    }
    path = f"/api/llm-finetuning/status/qlora_{job_id}"
    begun = {"task_id": f"qlora_{job_id}", "status": "processing", "progress": 0, "total_epochs": 3} | unknown
    assert trainer.http.get(path).json() == begun
    refused(trainer.http.get(f"/api/llm-finetuning/status/lora_{job_id}"), "task_id", 404)
    records = trainer.state.jobs.records
    records.start(job_id)
    records.report(job_id, 0.29, "", FIGURES)
    told = {"task_id": f"qlora_{job_id}", "status": "running", "progress": 29} | FIGURES
    assert trainer.http.get(path).json() == told
    records.report(job_id, 0.9999, "saved")  # tells no figures: the last ones stay
    assert trainer.http.get(path).json() == told | {"progress": 99}
    records.fail(job_id, "内存不足")
    assert trainer.http.get(path).json() == told | {"progress": 99, "status": "failed"}
    done = trainer.completed(LORA)
    answer = trainer.http.get(f"/api/training/status/lora_{done}").json()
    assert answer == FIGURES | {"task_id": f"lora_{done}", "status": "completed", "progress": 100}


def test_a_training_is_stopped(trainer: Trainer) -> None:
    trainer.running(TRAIN, task_id="train_20250102_030407")
    waiting, done = trainer.queued(), trainer.completed()
    stopped = [
        f"train_{trainer.running()}",
        f"lora_{trainer.running(LORA)}",
        f"train_{waiting}",
        "train_20250102_030407",
    ]
    for task_id in stopped * 2:
        answer = trainer.http.post(f"/api/training/stop/{task_id}")
        assert answer.json() == {"task_id": task_id, "status": "failed"}
        assert trainer.http.get(f"/api/training/status/{task_id}").json()["status"] == "failed"
    answer = trainer.http.post(f"/media/api/training/stop/train_{done}")
    assert answer.json() == {"task_id": f"train_{done}", "status": "completed"}


def test_only_what_is_trained_is_tried_and_merged(trainer: Trainer) -> None:
    trial = {"prompt": "你好"}
    for job_id in (trainer.queued(LORA), trainer.running(LORA)):
        refused(post(trainer, "/api/llm-finetuning/test", trial | {"task_id": f"lora_{job_id}"}), "task_id", 400)
        merge = {"task_id": f"lora_{job_id}", "output_path": "/models/x"}
        refused(post(trainer, "/api/llm-finetuning/merge", merge), "task_id", 400)
    classifier = f"train_{trainer.completed()}"
    refused(post(trainer, "/api/llm-finetuning/test", trial | {"task_id": classifier}), "task_id", 404)
    gone = {"task_id": f"lora_{trainer.completed(LORA)}"}  # nothing is kept of it
    refused(post(trainer, "/api/llm-finetuning/test", trial | gone), "task_id", 400)
    refused(post(trainer, "/api/llm-finetuning/merge", gone | {"output_path": "/models/x"}), "task_id", 400)
    done = {"task_id": f"lora_{trainer.taught()}"}
    for path in ("../x", "/datasets/x", "/models", "C:\\models\\x"):
        refused(post(trainer, "/api/llm-finetuning/merge", done | {"output_path": path}), "output_path")
    for prompt in (" ", "\u200b", "长" * 2_001):
        refused(post(trainer, "/api/llm-finetuning/test", done | {"prompt": prompt}), "prompt")
    for most in (0, 8_193):
        refused(post(trainer, "/api/llm-finetuning/test", done | trial | {"max_tokens": most}), "max_tokens")


def test_a_model_is_merged_into_a_folder_of_its_own(trainer: Trainer, workshop: Workshop) -> None:
    done = {"task_id": f"lora_{trainer.taught()}"}
    merged = post(trainer, "/api/llm-finetuning/merge", done | {"output_path": "models\\mine"}).json()
    status = trainer.http.get(f"/api/llm-finetuning/status/{merged['task_id']}").json()
    assert (status["status"], status["progress"]) == ("processing", 0)
    again = post(trainer, "/api/llm-finetuning/merge", done | {"output_path": "/models/mine/deeper"})
    refused(again, "output_path", 400)
    refused(post(trainer, "/api/llm-finetuning/merge", done | {"output_path": "/models/voice"}), "已有内容", 400)
    stopped = trainer.http.post(f"/api/training/stop/{merged['task_id']}").json()
    assert stopped == {"task_id": merged["task_id"], "status": "failed"}
    other = workshop.trainer()
    refused(post(other, "/api/llm-finetuning/merge", done | {"output_path": "/models/x"}), "task_id", 404)
    refused(other.http.get(f"/api/llm-finetuning/status/{merged['task_id']}"), "task_id", 404)


def test_versions_tell_what_they_were_taught_and_how(trainer: Trainer) -> None:
    first, second = trainer.taught(), trainer.taught()
    listed = trainer.http.get("/api/llm-finetuning/models").json()
    assert [(each["task_id"], each["answers"]) for each in listed] == [
        (f"lora_{second}", True),
        (f"lora_{first}", False),
    ]
    known = {"dataset_sha256": "d", "base_revision": "r", "samples": 2, "config": {"lora_r": 8}}
    assert all(each == each | known | {"model": "llama-2-7b:voice", "metrics": FIGURES["metrics"]} for each in listed)
    path = "/api/llm-finetuning/models"
    restored = post(trainer, f"{path}/restore", {"model": "llama-2-7b:voice"}).json()
    assert (restored["task_id"], restored["answers"]) == (f"lora_{first}", True)
    refused(post(trainer, f"{path}/restore", {"model": "llama-2-7b:voice"}), "version", 404)  # it is the first one
    back = post(trainer, f"{path}/restore", {"model": "llama-2-7b:voice", "version": f"lora_{second}"}).json()
    assert back["task_id"] == f"lora_{second}"
    refused(post(trainer, f"{path}/restore", {"model": "llama-2-7b:nobody"}), "model", 404)
    removed = trainer.http.delete(f"{path}/llama-2-7b:voice").json()
    assert removed == {"model": "llama-2-7b:voice", "removed": 2} and trainer.http.get(path).json() == []
    refused(trainer.http.delete(f"{path}/llama-2-7b:voice"), "model", 404)
    trial = {"task_id": f"lora_{second}", "prompt": "你好"}
    refused(post(trainer, "/api/llm-finetuning/test", trial), "已被删除", 400)


class Telling:
    """A model whose every answer is the adapter that it answers with."""

    model = "llama-2-7b"

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        yield ChatDelta(text=f"由 {request.adapter or 'base'} 作答", finish="stop")


def test_an_adapter_answers_wherever_models_are_named(trainer: Trainer, workshop: Workshop) -> None:
    job_id, name = trainer.taught(), "llama-2-7b:voice"
    key = f"{home(trainer.owner)}/models/voice/{job_id}"
    polish = {"content": "大家好", "modelId": name}
    said = {"model": name, "messages": [{"role": "user", "content": "你好"}]}
    trial = {"task_id": f"lora_{job_id}", "prompt": "你好"}
    asked = {"/api/script/polish": polish, "/v1/chat/completions": said, "/api/llm-finetuning/test": trial}
    asked["/api/product/generate-script"] = {"productName": "作答", "modelId": name}
    asked["/api/script/refine"] = {"currentText": "大家好", "action": "make_warm", "step": 2, "modelId": name}
    other = workshop.trainer()
    with mock.patch.dict(trainer.state.engines.chats, {"llama-2-7b": Telling()}):
        for path, body in asked.items():
            answer = trainer.http.post(path, json=body)
            assert answer.status_code == 200 and key in answer.text, f"{path}: {answer.text}"
            assert "x-troupe-model" not in answer.headers
            assert key not in other.http.post(path, json=body).text
        assert "base" in trainer.http.post("/api/script/polish", json=polish | {"modelId": "llama-2-7b"}).text
    assert "基础模型没有启用" in trainer.http.post("/api/script/polish", json=polish).json()["msg"]


BROKEN_LINE = b"".join(ROWS.splitlines(True)[0] for _ in range(5_000)) + b'{"instruction": "x"}\n' + ROWS * 2_500
REFUSED = [
    ("nothing.jsonl", b" \n", "", 422),  # as it is brought
    ("once.jsonl", ROWS.splitlines(True)[0] * 3, "至少需要两条", 422),
    ("line.jsonl", BROKEN_LINE, "第 5001 行", 422),
    ("long.jsonl", b'{"text": "' + b"x" * (2 << 20) + b'"}\n' + ROWS, "第 1 行：超过 1 MB", 422),
    ("bomb.zip", packed(**{"a.jsonl": b"0" * (300 << 20)}), "", 413),
    ("pictures.zip", PICTURES, "不支持的文件", 415),
]


@pytest.mark.parametrize(("name", "content", "told", "status"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_cannot_be_learnt_is_refused_before_there_is_a_training(
    trainer: Trainer, name: str, content: bytes, told: str, status: int
) -> None:
    sent = bring(trainer, name, content)
    if not told:
        return refused(sent, "file", status)
    assert sent.status_code == 200, sent.text
    for path in ("/api/llm-finetuning/lora/start", "/api/llm-finetuning/qlora/start"):
        answer = post(trainer, path, LORA_START | {"dataset_path": sent.json()["path"]})
        refused(answer, told, status)
        assert "dataset_path" in answer.json()["detail"]
    assert trainer.http.get("/v1/jobs").json() == {"data": []}


def test_an_adapter_that_could_not_be_loaded_is_not_trained(ready: Trainer) -> None:
    path = "/api/llm-finetuning/lora/start"
    refused(post(ready, path, LORA_START | {"lora_r": 65}), "lora_r", 422)
    ended(ready, post(ready, path, LORA_START | {"lora_r": 64}))
    served = ready.state.models.served
    without = served["llama-2-7b"].model_copy(update={"options": {}})
    with mock.patch.dict(served, {"llama-2-7b": without}):
        refused(post(ready, path, LORA_START), "adapters", 503)


def test_nothing_is_trained_when_the_disk_is_nearly_full(ready: Trainer) -> None:
    full = ready.state.settings.model_copy(update={"min_free_gib": 1e9})
    ready.taught()
    with mock.patch.object(ready.state.jobs, "settings", full):
        for path in ("/api/llm-finetuning/lora/start", "/api/llm-finetuning/qlora/start"):
            refused(post(ready, path, LORA_START), "磁盘空间不足", 503)


def test_a_dataset_that_is_replaced_while_it_is_looked_at(ready: Trainer) -> None:
    """Between the look at it and the training's beginning, another process removes it, or brings another one."""
    found = find_dataset(ready.state, Caller(ready.owner, "user"), "/datasets/instruction_data.jsonl", "dataset_path")
    job = Job(id=new_id(), kind=LORA, owner=ready.owner, params={"output": f"{home(ready.owner)}/models/new"})
    with ready.state.database.session() as session:
        claim(session, job, found)
    assert ready.http.delete("/api/datasets/instruction_data.jsonl").status_code == 200
    for content in (b"", ROWS + ROWS):
        assert not content or bring(ready, "instruction_data.jsonl", content).status_code == 200
        with ready.state.database.session() as session, pytest.raises(Conflict, match="更换"):
            claim(session, job, found)


def test_a_dataset_stays_while_it_is_trained_with(ready: Trainer) -> None:
    task_id = post(ready, "/api/llm-finetuning/lora/start", LORA_START).json()["task_id"]
    path = "/api/datasets/instruction_data.jsonl"
    refused(ready.http.delete(path), "正在使用", 400)
    ready.http.post(f"/api/training/stop/{task_id}")
    assert ready.http.delete(path).status_code == 200
    refused(post(ready, "/api/llm-finetuning/lora/start", LORA_START), "dataset_path", 404)
