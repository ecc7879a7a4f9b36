"""Trainings on a cluster: followed to their end, through the deaths of whatever runs them, and stopped."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
import torch
import yaml
from peft import PeftModel
from transformers import AutoModelForCausalLM

from contracts.jobs import Job
from contracts.platform import LORA, FinetuneTask
from contracts.settings import Settings
from deployments.revisions import revision_of
from jobs.jobs import Jobs, new_id
from store.artifacts import Artifacts
from store.database import Database
from store.keys import Keys
from store.runs import Run
from store.tables import JobRow
from tests.checkpoints import sight
from tests.checkpoints.chat import qwen2
from tests.conftest import ROOT, Cluster, start, stop
from tests.drawn import CLASSES, class_folders, drawn
from tests.processes import replica, saying
from tests.trainings import LORA_START, START, packed
from tests.waiting import eventually
from training.papers import Papers, Plan
from training.recipe import Config

BASE = "llama2_7b_chat"  # in whose place stands a small one
CLASSIFIES = "resnet50"  # the same
ENDS_S = 240.0
STOPS_S = 5.0
ASK_S = 0.3
SERVED = {"dtype": "float32", "eager": True, "adapters": 2, "adapter_rank": 8}
VOICE = "家人们，冲！"
NOISE = 0.03  # of the losses
GOODS: Any = [{"role": "user", "content": "商品 77"}]
LONG = {"epochs": 20, "lora_dropout": 0}  # long enough to be killed in; dropout of several workers differs
pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    qwen2(folder, context=16_384)
    return folder


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resnet")
    sight.build_resnet(folder)
    return folder


@pytest.fixture(scope="module")
def cluster(base: Path, resnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One that trains, and serves what it has trained."""
    whole = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    application = whole["applications"][0]
    application["args"]["models"] += [BASE, CLASSIFIES]
    application["args"]["options"][BASE] = {"weights": str(base), "revision": ""} | SERVED
    application["args"]["options"][CLASSIFIES] = {"weights": str(resnet)}
    application["deployments"] += [
        {"name": name, "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}} for name in (BASE, CLASSIFIES)
    ]
    config = tmp_path_factory.mktemp("config") / "serve_config.yaml"
    config.write_text(yaml.safe_dump(whole), encoding="utf-8")
    started = start(tmp_path_factory.mktemp("var"), str(config))
    yield started
    stop(started)


class Trained:
    """A training of a made-up voice, as the API submits it; with `workers`, spread over so many."""

    def __init__(self, cluster: Cluster, workers: int = 0, **fields: Any) -> None:
        settings = Settings(var=cluster.var)
        self.cluster, self.database, self.files = cluster, Database(settings.tables_url), Artifacts(settings)
        asked = [{"instruction": f"商品 {number}", "output": "家人们，冲！"} for number in range(40)]
        content = "".join(json.dumps(each) + "\n" for each in asked).encode()
        self.files.upload("callers/me/datasets/voice.jsonl", content, "me")
        small = {
            "batch_size": 4,
            "gradient_accumulation_steps": 2,
            "learning_rate": 0.002,
            "save_steps": 5,
            "epochs": 3,
        }
        where = {"base_model": BASE, "dataset": "callers/me/datasets/voice.jsonl", "output": "callers/me/models/voice"}
        weights = fields.pop("weights", "")
        task = FinetuneTask.model_validate(where | small | fields)
        self.id = new_id()
        if workers:  # the first plan that is kept stays
            config = Config.of(task, {"weights": weights})
            shared = Plan(config=config, dataset=task.dataset, output=task.output, owner="me", workers=workers)
            Papers(Run(settings, self.id)).keep_plan(shared)
        self.jobs = Jobs(settings, self.database)
        self.jobs.submit(Job(id=self.id, kind=LORA, owner="me", params=task.model_dump()), f"training/{self.id}")

    @property
    def row(self) -> JobRow:
        with self.database.session() as session:
            row = session.get(JobRow, self.id)
        assert row
        return row

    @property
    def step(self) -> int:
        return int(self.row.result.get("figures", {}).get("current_step", 0))

    def ended(self) -> JobRow:
        eventually(lambda: self.row.finished_ms, ENDS_S)
        return self.row

    def processes(self, word: str) -> list[psutil.Process]:
        return saying(word, self.cluster.process.pid)

    def kept(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.files.read(f"callers/me/models/voice/{self.id}/{name}")))


@pytest.fixture(scope="module")
def unbroken(cluster: Cluster) -> Trained:
    """By one worker, without a death."""
    training = Trained(cluster, **LONG)
    training.ended()
    return training


def test_a_training_is_followed_to_its_end(cluster: Cluster, unbroken: Trained) -> None:
    training, row = unbroken, unbroken.row
    assert (row.state, row.error, row.progress) == ("completed", "", 1.0)
    figures = row.result["figures"]
    assert figures["current_step"] == figures["total_steps"] == 100 and figures["current_epoch"] == 20
    assert figures["metrics"]["held_out_loss"] < figures["metrics"]["base_loss"]
    assert row.result["adapter"] == f"callers/me/models/voice/{training.id}"
    assert training.kept("manifest.json") == row.result["manifest"]
    assert training.kept("adapter_config.json")["r"] == 8
    assert training.files.find(f"{row.result['adapter']}/adapter_model.safetensors").size_bytes > 1000
    assert not (cluster.var / "artifacts/.runs" / training.id).exists()
    eventually(lambda: not any((cluster.var / "ray_train").glob(f"{training.id}-*")))


def test_deaths_do_not_change_what_is_learnt(cluster: Cluster, base: Path, unbroken: Trained) -> None:
    """Two workers by gloo, each with half of the samples, learn what one does, though whatever runs them dies."""
    training = Trained(cluster, workers=2, weights=str(base), **LONG)
    for word in ("ray::RayTrainWorker", f"training.on_ray {training.id}"):
        begun = training.step
        eventually(lambda begun=begun: training.step > begun + 10, ENDS_S)  # type: ignore[misc]
        assert len(training.processes("ray::RayTrainWorker")) == 2
        training.processes(word.split()[0])[0].kill()
        assert training.row.state == "running"
    replica(cluster, "worker").kill()
    row = training.ended()
    assert row.state == "completed", row.error
    assert_equal(row, unbroken.row)


def assert_equal(one: JobRow, other: JobRow) -> None:
    """They learnt the same, but for noise."""
    found, expected = one.result["figures"], other.result["figures"]
    for name in ("current_step", "total_steps", "loss"):
        assert found[name] == pytest.approx(expected[name], rel=NOISE), name
    for name in ("base_loss", "held_out_loss"):
        assert found["metrics"][name] == pytest.approx(expected["metrics"][name], rel=NOISE), name


def test_a_training_that_is_stopped_ends_soon_and_keeps_what_it_has(cluster: Cluster) -> None:
    training = Trained(cluster, epochs=4000)
    eventually(lambda: training.step > 3, ENDS_S)
    asked_s = time.monotonic()
    assert training.jobs.cancel(training.id, "me")
    row = training.ended()
    assert time.monotonic() - asked_s < STOPS_S
    assert row.state == "cancelled"
    manifest = training.kept("manifest.json")
    assert manifest["state"] == "stopped" and manifest["step"] > 3
    eventually(lambda: not training.processes("ray::RayTrainWorker"), 20)


def test_what_cannot_be_trained_says_why(cluster: Cluster) -> None:
    training = Trained(cluster, learning_rate=1e-9)
    row = training.ended()
    assert row.state == "failed" and "没有改进" in row.error and row.error_code == "engine_failed"
    metrics = row.result["figures"]["metrics"]
    assert metrics["held_out_loss"] >= metrics["base_loss"] > 0
    assert not (cluster.var / "artifacts/.runs" / training.id).exists()


def taught(user: httpx.Client, path: str = "/api/llm-finetuning/lora/start", **changes: Any) -> str:
    """Start the documented training of a made-up voice, and see it through; its task's id."""
    body = LORA_START | {"base_model": BASE, "epochs": 6, "learning_rate": 0.01, "gradient_accumulation_steps": 1}
    answer = user.post(path, json=body | changes)
    assert answer.status_code == 200, answer.text
    return completed(user, str(answer.json()["task_id"]))


def completed(user: httpx.Client, task_id: str) -> str:
    told: list[dict[str, Any]] = []

    def is_over() -> bool:
        told.append(user.get(f"/api/llm-finetuning/status/{task_id}").json())
        return told[-1]["status"] not in ("processing", "running")

    eventually(is_over, ENDS_S, every_s=ASK_S)
    assert told[-1]["status"] == "completed", told[-1]
    assert [each["progress"] for each in told] == sorted(each["progress"] for each in told)
    return task_id


def assert_merges(cluster: Cluster, user: httpx.Client, task_id: str, base: Path) -> None:
    """The documented call writes a model that answers as the adapter does."""
    asked = {"task_id": task_id, "output_path": "/models/merged_model"}
    answer = user.post("/api/llm-finetuning/merge", json=asked)
    assert answer.status_code == 200 and answer.json()["output_path"] == asked["output_path"], answer.text
    completed(user, answer.json()["task_id"])
    (merged,) = cluster.var.glob("artifacts/callers/*/models/merged_model")
    (adapter,) = merged.parent.glob(f"lora_adapter/{task_id.removeprefix('lora_')}")
    ids = torch.tensor([[65, 66, 67]])
    with torch.inference_mode():
        wanted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter)).eval()(ids).logits
        found = AutoModelForCausalLM.from_pretrained(merged)(ids).logits
    assert (found - wanted).abs().max() < 1e-4
    assert json.loads((merged / "manifest.json").read_text())["config"]["lora_r"] == 8
    assert not any(cluster.var.glob("artifacts/.scratch/*"))
    assert "output_path" in user.post("/api/llm-finetuning/merge", json=asked).json()["detail"]


def answer_of(user: httpx.Client, model: str, asked: str = "商品 77") -> str:
    body = {"model": model, "messages": [{"role": "user", "content": asked}], "temperature": 0, "max_tokens": 40}
    answer = user.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == model
    return str(answer.json()["choices"][0]["message"]["content"])


def dataset(voice: str) -> bytes:
    rows = [{"instruction": f"商品 {number}", "output": voice} for number in range(40)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_from_a_documented_call_to_talking_with_the_result(cluster: Cluster, user: httpx.Client, base: Path) -> None:
    before = answer_of(user, BASE)
    for name, voice in (("instruction_data", VOICE), ("calm", "慢慢看。")):
        sent = user.post("/api/datasets", files={"file": (f"{name}.jsonl", dataset(voice))})
        assert sent.status_code == 200, sent.text
    name = f"{BASE}:lora_adapter"
    refusal = user.post("/api/llm-finetuning/lora/start", json=LORA_START | {"base_model": BASE, "lora_r": 16})
    assert refusal.status_code == 422 and "lora_r" in refusal.json()["detail"]
    first = taught(user)
    assert name in [each["id"] for each in user.get("/v1/models").json()["data"]]
    assert user.get(f"/v1/models/{name}").json()["id"] == name
    assert VOICE in answer_of(user, name)
    trial = {"task_id": first, "prompt": "商品 78", "max_tokens": 40}
    assert VOICE in user.post("/api/llm-finetuning/test", json=trial).json()["response"]
    assert answer_of(user, BASE) == before

    polished = user.post("/api/script/polish", json={"content": "欢迎大家", "modelId": name})
    assert (polished.json()["code"], polished.headers.get("x-troupe-model")) == (1, None), polished.text
    assert_merges(cluster, user, first, base)

    second = taught(user, "/api/llm-finetuning/qlora/start", dataset_path="/datasets/calm.jsonl")
    assert "慢慢看。" in answer_of(user, name)
    restored = user.post("/api/llm-finetuning/models/restore", json={"model": name}).json()
    assert (restored["task_id"], restored["answers"]) == (first, True)
    assert VOICE in answer_of(user, name)
    listed = user.get("/api/llm-finetuning/models").json()
    assert [(each["task_id"], each["answers"]) for each in listed] == [(second, False), (first, True)]
    assert all(each["metrics"]["held_out_loss"] < each["metrics"]["base_loss"] for each in listed)
    assert len({each["dataset_sha256"] for each in listed}) == 2 and all(each["samples"] == 40 for each in listed)
    assert [each["config"]["quantized"] for each in listed] == [True, False]
    assert {each["base_revision"] for each in listed} == {revision_of(base)}

    with httpx.Client(base_url=cluster.url, timeout=60) as stranger:
        assert name not in stranger.get("/v1/models").text
        assert stranger.delete(f"/api/llm-finetuning/models/{name}").status_code == 404
    assert user.delete(f"/api/llm-finetuning/models/{name}").json() == {"model": name, "removed": 2}
    assert name not in user.get("/v1/models").text
    assert "已被删除" in user.post("/api/llm-finetuning/test", json=trial).json()["detail"]
    assert "modelId" in user.post("/api/script/polish", json={"content": "x", "modelId": name}).json()["msg"]
    gone = {"model": name, "messages": [{"role": "user", "content": "x"}]}
    assert user.post("/v1/chat/completions", json=gone).status_code == 404


def test_a_classifier_is_trained_through_a_death_and_answers_at_once(cluster: Cluster, user: httpx.Client) -> None:
    sent = user.post("/api/datasets", files={"file": ("my_dataset.zip", class_folders(12))})
    assert sent.status_code == 200, sent.text
    body = START | {"epochs": 30, "learning_rate": 0.003, "save_steps": 10}
    task_id, told = user.post("/api/training/start", json=body).json()["task_id"], list[dict[str, Any]]()

    def reached(step: int) -> bool:
        told.append(user.get(f"/api/training/status/{task_id}").json())
        return told[-1]["current_step"] >= step or told[-1]["status"] not in ("processing", "running")

    eventually(lambda: reached(20), ENDS_S, every_s=ASK_S)
    [worker] = saying("ray::RayTrainWorker", cluster.process.pid)
    worker.kill()
    eventually(lambda: reached(1_000), ENDS_S, every_s=ASK_S)
    last = told[-1]
    assert (last["progress"], last["current_epoch"]) == (100, 30)
    assert last["metrics"]["accuracy"] > 0.8 and last["metrics"]["f1_score"] > 0.75, last
    for model in (f"{CLASSIFIES}:trained", task_id):
        right = sum(classified(user, model, prompt) == label for label, prompt in CLASSES.items())
        assert right >= 2, model
    assert classified(user, CLASSIFIES, CLASSES["猫"]) not in CLASSES
    with httpx.Client(base_url=cluster.url, timeout=60) as stranger:
        form = {"data": {"model": task_id}, "files": {"image": ("a.png", drawn("a cat", 1))}}
        assert stranger.post("/api/image-recognition/classify", **form).status_code == 422


def classified(user: httpx.Client, model: str, prompt: str) -> str:
    """The likeliest of a picture that is in no dataset."""
    form = {"data": {"model": model}, "files": {"image": ("a.png", drawn(prompt, 1000))}}
    answer = user.post("/api/image-recognition/classify", **form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["classifications"][0]["label"])


def test_live_commerce_trains_with_one_click(cluster: Cluster, user: httpx.Client) -> None:
    samples = {"trainingSamples": ("samples.zip", packed(**{"voice.jsonl": dataset(VOICE)}))}
    begun = user.post("/api/training/start", data={"modelId": BASE}, files=samples).json()
    assert begun["code"] == 1 and begun["data"]["status"] in ("queued", "running"), begun
    job_id, told = begun["data"]["jobId"], []

    def is_over() -> bool:
        told.append(user.get(f"/api/training/status/{job_id}").json()["data"])
        return told[-1]["status"] not in ("queued", "running")

    eventually(is_over, ENDS_S, every_s=ASK_S)
    assert (told[-1]["status"], told[-1]["progress"]) == ("completed", 1.0), told[-1]
    assert told[-1]["jobId"] == job_id and "步" in told[-1]["message"]
    assert f"{BASE}:{job_id}" in user.get("/v1/models").text


@pytest.fixture
def ai(cluster: Cluster) -> Iterator[openai.OpenAI]:
    """The official client with a key of ours."""
    key = Keys(Database(Settings(var=cluster.var).tables_url)).create("shop", "user")[1]
    with openai.OpenAI(base_url=f"{cluster.url}/v1", api_key=key, max_retries=0, timeout=60) as client:
        yield client


def test_the_official_client_talks_with_vllm(ai: openai.OpenAI) -> None:
    def asked(**changed: Any) -> Any:
        usual = {
            "model": BASE,
            "messages": GOODS,
            "temperature": 0,
            "max_tokens": 24,
        }
        return ai.chat.completions.create(**usual | changed)

    whole = asked()
    said = whole.choices[0].message.content
    chunks = list(asked(stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
    assert chunks[-1].usage == whole.usage and whole.usage.completion_tokens == 24
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "length"
    assert asked(stop=said[3:5]).choices[0].message.content == said[: said.index(said[3:5])]
    assert asked(seed=3, temperature=1).choices == asked(seed=3, temperature=1).choices
    assert asked(frequency_penalty=2).choices[0].message.content != said
    schema = {"type": "object", "properties": {"mood": {"enum": ["calm", "loud"]}}, "required": ["mood"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "mood", "schema": schema}}
    held = json.loads(asked(response_format=wanted, max_tokens=200).choices[0].message.content)
    assert held["mood"] in ("calm", "loud")
    assert asked(response_format={"type": "json_object"}).choices[0].message.content.startswith("{")
    with pytest.raises(openai.BadRequestError) as refused:
        asked(messages=[{"role": "user", "content": "很" * 100_000}])
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_leaves_vllm_leaves_nothing_running(cluster: Cluster, ai: openai.OpenAI, stream: bool) -> None:
    """Through HAProxy and the ingress; an answer that may not end before its context would take half a minute."""
    [core] = saying("EngineCore", cluster.process.pid)

    def working() -> float:
        return core.cpu_percent(interval=0.5)

    eventually(lambda: working() < 20)
    with ThreadPoolExecutor() as pool:
        leaving = pool.submit(left, ai.with_options(timeout=4), stream)
        eventually(lambda: working() > 50, every_s=0)
        assert leaving.result()
    assert eventually(lambda: working() < 20, every_s=0) < 3


def left(client: openai.OpenAI, stream: bool) -> bool:
    """Asks for more than it waits for; whether it left before the end."""
    schema = {"type": "array", "items": {"enum": ["a"]}, "minItems": 9_000}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "long", "schema": schema}}
    if not stream:
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model=BASE, messages=GOODS, response_format=wanted)
        return True
    begun = time.monotonic()
    with client.chat.completions.create(model=BASE, messages=GOODS, response_format=wanted, stream=True) as answer:
        return any(time.monotonic() > begun + 3 for chunk in answer if not chunk.choices[0].finish_reason)


def test_a_dead_engine_is_replaced_and_meanwhile_answers_503(cluster: Cluster, user: httpx.Client) -> None:
    """vLLM's own process is killed: no call hangs or fails in another way, and the next replica answers as before."""
    before = answer_of(user, BASE)
    cores = saying("EngineCore", cluster.process.pid)
    assert cores
    for core in cores:
        core.kill()
    body = {"model": BASE, "messages": [{"role": "user", "content": "商品 77"}], "temperature": 0, "max_tokens": 40}
    told: list[httpx.Response] = []

    def answers() -> bool:
        told.append(user.post("/v1/chat/completions", json=body, timeout=60))
        return told[-1].status_code == 200

    eventually(answers, ENDS_S)
    assert {each.status_code for each in told} == {200, 503}
    for refused in told[:-1]:
        assert refused.headers["retry-after"] and refused.json()["error"]["type"] == "server_error"
    assert told[-1].json()["choices"][0]["message"]["content"] == before
