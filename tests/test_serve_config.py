"""The configurations: valid for Ray, complete for the code, and the cluster's one deployed, without HAProxy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from contracts.catalog import NEEDED, models
from deployments.registry import ENGINES
from graphs.arguments import with_defaults
from tests.conftest import ROOT, Cluster, sign_up, start, stop
from tests.story import new_task, next_message, notifications, run

pytestmark = pytest.mark.alone
CONFIGS = ("serve_config.yaml", "serve_config.local.yaml", "serve_config.test.yaml")


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
@pytest.mark.parametrize("name", CONFIGS)
def test_ray_accepts_it(name: str) -> None:
    from ray.serve.schema import ServeDeploySchema

    ServeDeploySchema.model_validate(load(name))


@pytest.mark.parametrize("name", CONFIGS)
def test_every_model_has_its_deployment(name: str) -> None:
    (application,) = load(name)["applications"]
    served = application["args"]["models"]
    assert {each["name"] for each in application["deployments"]} == {*served, "ingress", "worker"}
    assert set(served) <= models().keys()


ON_CPUS = {"scripted", "openai", "painter", "espeak", "matching", "film", "cosyvoice", "runway"}  # engines


def test_the_cluster_has_every_model_that_can_run() -> None:
    (application,) = load("serve_config.yaml")["applications"]
    able = {spec.id for spec in models().values() if (spec.capability, spec.engine) in ENGINES}
    assert set(application["args"]["models"]) == able
    assert len(application["args"]["models"]) == len(able)


def test_the_cluster_shares_gpus_and_scales() -> None:
    (application,) = load("serve_config.yaml")["applications"]
    deployments, known = {each["name"]: each for each in application["deployments"]}, models()
    for name in application["args"]["models"]:
        deployment, on_cpus = deployments[name], known[name].engine in ON_CPUS
        part = deployment["ray_actor_options"].get("num_gpus", 0)
        assert part == 0 if on_cpus else 0 < part <= 1, name
        assert deployment["autoscaling_config"]["max_replicas"] > 1
        assert deployment["max_ongoing_requests"] and deployment["max_replicas_per_node"]
        asked = deployment["autoscaling_config"]["target_ongoing_requests"]
        assert asked <= deployment["max_ongoing_requests"], name
    assert deployments["worker"]["num_replicas"] == 2


def test_language_models_keep_to_their_part_of_a_card() -> None:
    (application,) = load("serve_config.yaml")["applications"]
    parts = {each["name"]: each["ray_actor_options"].get("num_gpus", 0) for each in application["deployments"]}
    for name in (spec.id for spec in models().values() if spec.engine == "vllm"):
        assert application["args"]["options"][name]["gpu_memory_utilization"] <= parts[name], name


def test_what_runs_as_it_comes_is_awake_and_answers_by_default() -> None:
    """What needs weights, a key or a server sleeps until it is asked for."""
    (application,) = load("serve_config.yaml")["applications"]
    least = {
        each["name"]: each.get("autoscaling_config", {}).get("min_replicas", 1) for each in application["deployments"]
    }
    known = models()
    assert not [name for name in application["args"]["models"] if known[name].needs and least[name]]
    for capability in NEEDED:
        default = next(name for name in application["args"]["models"] if known[name].capability == capability)
        assert least[default] == 1 and not known[default].needs


def test_with_its_weights_here_qwen_writes_by_default() -> None:
    (application,) = load("serve_config.yaml")["applications"]
    args, known = application["args"], models()
    for here, default in ((False, "scripted"), (True, "qwen2.5-7b-instruct")):
        served = with_defaults([known[name] for name in args["models"]], args["preferred"], lambda _, here=here: here)
        assert next(spec.id for spec in served if spec.capability == "chat") == default
        assert next(spec.id for spec in served if spec.capability == "image") == "painter"


@pytest.fixture(scope="module")
def gpu_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node that says it has eight cores and two GPUs, with Serve's own proxy in front."""
    logical = json.dumps({"CPU": 8, "GPU": 2})
    var: Path = tmp_path_factory.mktemp("gpu")
    cluster = start(var, "serve_config.yaml", "--no-proxy", RAY_OVERRIDE_RESOURCES=logical)
    yield cluster
    stop(cluster)


@pytest.fixture
def user(gpu_cluster: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gpu_cluster.url, timeout=60) as client:
        sign_up(gpu_cluster, client)
        yield client


def test_it_runs_on_logical_gpus(gpu_cluster: Cluster) -> None:
    token = (gpu_cluster.var / "keys" / "ray.token").read_text()
    url = f"{gpu_cluster.dashboard}/api/serve/applications/"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).json()
    deployments = answer["applications"]["troupe"]["deployments"]
    assert {name: each["status"] for name, each in deployments.items()} == dict.fromkeys(deployments, "HEALTHY")
    assert len(deployments["worker"]["replicas"]) == 2


def test_the_main_path_runs_without_haproxy(user: httpx.Client) -> None:
    task_id = new_task(user)
    with notifications(user) as socket:
        run(user, task_id, 1, 2)
        assert [next_message(socket)["status"] for _ in range(2)] == ["completed"] * 2
    zipped = user.get(f"/api/task/{task_id}/resource?segmentId=2")
    assert zipped.headers["content-type"] == "application/zip"
    part = user.get(f"/api/task/{task_id}/resource?segmentId=2&name=p1.png", headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, b"\x89PNG\r\n\x1a\n")


def test_refusals_are_the_same_without_haproxy(user: httpx.Client) -> None:
    assert user.post("/api/task/new", json={"topic": ""}).status_code == 422
    assert user.post("/api/task/new", content=b" " * (30 << 20)).status_code == 413
    assert user.post("/api/task/new", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert user.get("/nothing").json() == {"detail": "路径不存在"}
