"""What describes a cluster elsewhere: valid for who reads it, and of one mind about names, ports and versions."""

import configparser
import json
import re
import runpy
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from jsonschema import Draft202012Validator

from api.limits import MIB
from cli.environment import PROXIED, environment
from contracts.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
KUBERNETES = "1.31"
SECRETS = "/etc/troupe/secrets/"
OF_THIS_MACHINE = {"TMPDIR", "TROUPE_VAR", "TROUPE_REVISION", "NO_PROXY", "no_proxy", "RAY_AUTH_TOKEN_PATH"}
BEHIND = {
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S",
    "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S",
}  # others still send


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """Of every node, those that are only named in a comment too."""
    lines = (DEPLOY / "node" / "environment").read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r"(?:# )?([A-Za-z_]+)=(.*)", line) for line in lines)
    return {each[1]: each[2] for each in found if each}


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return runpy.run_path(str(DEPLOY / "kuberay" / "render.py"))["documents"]()


@pytest.fixture(scope="module")
def service(documents: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (each["spec"] for each in documents if each["kind"] == "RayService")
    return found


@pytest.fixture(scope="module")
def groups(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The head's, then the workers'."""
    cluster = service["rayClusterConfig"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


@pytest.fixture(scope="module")
def pods(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [group["template"] for group in groups]


@pytest.fixture(scope="module")
def launched() -> dict[str, Any]:
    return load("cluster.yaml")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
def test_the_launcher_accepts_its_cluster(launched: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(launched)
    validate_config(prepared)
    assert {name: each["max_workers"] for name, each in prepared["available_node_types"].items()}["head"] == 0
    for remote, local in launched["file_mounts"].items():
        assert (ROOT / local).is_dir() and f". {remote}/environment;" in launched["head_start_ray_commands"][-1]


def test_no_replica_runs_on_a_head(launched: dict[str, Any], groups: list[dict[str, Any]]) -> None:
    assert "--num-cpus=0" in launched["head_start_ray_commands"][-1]
    assert launched["available_node_types"]["head"]["resources"] == {"CPU": 0}
    assert groups[0]["rayStartParams"]["num-cpus"] == "0"


def test_every_deployment_fits_a_kind_of_node(launched: dict[str, Any], service: dict[str, Any]) -> None:
    kinds = [each["resources"] for each in launched["available_node_types"].values()]
    kinds += [
        {"CPU": float(limits["cpu"]), "GPU": float(limits.get("nvidia.com/gpu", 0))}
        for group in service["rayClusterConfig"]["workerGroupSpecs"]
        for limits in [group["template"]["spec"]["containers"][0]["resources"]["limits"]]
    ]
    for deployment in load("serve_config.yaml")["applications"][0]["deployments"]:
        wanted = deployment["ray_actor_options"]
        cpus, gpus = wanted["num_cpus"], wanted.get("num_gpus", 0)
        assert sum(cpus <= kind.get("CPU", 0) and gpus <= kind.get("GPU", 0) for kind in kinds) >= 2, deployment["name"]


def test_versions_are_those_of_the_lock_and_the_project(service: dict[str, Any], launched: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    locks = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("cpu.lock", "gpu.lock")]
    ray = {version for lock in locks for version in re.findall(r"(?m)^ray==(\S+)", lock)}
    assert ray == {service["rayClusterConfig"]["rayVersion"]}
    recipe = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    images = {launched["docker"]["image"], *re.findall(r"-t (troupe:\S+)", recipe)}
    images |= set(re.findall(r"image: (troupe:\S+)", (DEPLOY / "kuberay" / "rayservice.yaml").read_text()))
    assert images == {f"troupe:{project}"}
    assert all((ROOT / name).exists() for name in re.findall(r"requirements/\S+(?=\b)", recipe.replace("$KIND", "gpu")))


def test_every_variable_is_known(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        if name.startswith("TROUPE_"):
            field = name.removeprefix("TROUPE_").lower()
            assert field.removesuffix("_file") in Settings.model_fields, name
            assert name.endswith("_FILE") == value.startswith(SECRETS), name


def test_nodes_are_started_as_this_machine_is(variables: dict[str, str], tmp_path: Path) -> None:
    here = environment(Settings(var=tmp_path), proxied=False) | PROXIED
    same = here.keys() - OF_THIS_MACHINE - BEHIND
    assert {name: variables[name] for name in same} == {name: here[name] for name in same}
    assert not BEHIND & variables.keys()


def secret_files(variables: dict[str, str]) -> set[str]:
    used = " ".join([*variables.values(), (ROOT / "cluster.yaml").read_text(encoding="utf-8")])
    files = set(re.findall(rf"{SECRETS}(\w+)", used))
    return files | {Path(each["file"]).name for each in load("deploy/compose.yaml")["secrets"].values()}


def test_the_manual_makes_every_secret(variables: dict[str, str], tmp_path: Path) -> None:
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(mkdir -p -m 700 .*?)```", manual, re.DOTALL)
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    made = {path.name: path for path in (tmp_path / "deploy/node/secrets").iterdir()}
    assert made.keys() == secret_files(variables)
    assert {oct(path.stat().st_mode & 0o777) for path in made.values()} == {"0o600"}
    assert not [
        name for name in ("ray_token", "redis_password") if made[name].read_bytes().endswith(b"\n")
    ]  # bytes count
    assert made["postgres_password"].read_text() in made["database_url"].read_text()
    keys = configparser.ConfigParser()
    keys.read(made["aws"])
    (identity,) = json.loads(made["s3.json"].read_text())["identities"]
    (pair,) = identity["credentials"]
    assert dict(keys["default"]) == {"aws_access_key_id": pair["accessKey"], "aws_secret_access_key": pair["secretKey"]}
    assert "deploy/node/secrets/" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
def test_kubernetes_serves_the_same(service: dict[str, Any]) -> None:
    from ray.serve.schema import ServeDeploySchema

    config, ours = yaml.safe_load(service["serveConfigV2"]), load("serve_config.yaml")
    ServeDeploySchema.model_validate(config)
    assert config["applications"] == ours["applications"]
    assert (config["http_options"]["host"], ours["http_options"]["host"]) == ("0.0.0.0", "127.0.0.1")


def spec_errors(service: dict[str, Any]) -> list[str]:
    """Where a RayService is not as its operator defines it; an unknown field is an error too."""
    schema = json.loads((ROOT / "tests/schemas/rayservice.json").read_text(encoding="utf-8"))
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(service)]


def test_the_operator_knows_every_field(service: dict[str, Any]) -> None:
    assert spec_errors(service) == []
    groups = service["rayClusterConfig"]["workerGroupSpecs"]
    misspelt = service | {"rayClusterConfig": service["rayClusterConfig"] | {"workerGroupSpec": groups}}
    assert spec_errors(misspelt) == ["$.rayClusterConfig"]


def test_kubernetes_knows_every_field(documents: list[dict[str, Any]], pods: list[dict[str, Any]]) -> None:
    ours = [each for each in documents if each["kind"] != "RayService"]
    whole = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "ray"}}
    for each in [*ours, *(whole | {"template": pod} for pod in pods)]:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(whole | {"templat": pods[0]}, KUBERNETES, strict=True)


def probes(container: dict[str, Any]) -> Iterator[Any]:
    for name in ("readinessProbe", "livenessProbe"):
        (check,) = (container[name][way]["port"] for way in ("tcpSocket", "httpGet") if way in container[name])
        yield check


def test_pods_are_watched_at_ports_that_they_have(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        (container,) = pod["spec"]["containers"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert set(probes(container)) <= ports.keys()
        assert ports["serve"] == load("serve_config.yaml")["http_options"]["port"]


def test_figures_are_where_prometheus_may_look(groups: list[dict[str, Any]], documents: list[dict[str, Any]]) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in documents if each["kind"] == "NetworkPolicy"}
    allowed = {port["port"] for rule in policies["troupe"]["ingress"] for port in rule.get("ports", [])}
    assert {group["rayStartParams"]["metrics-export-port"] for group in groups} == {"8080"}
    assert allowed == {8000, 8080, 8265}


def test_the_policies_are_about_pods_that_there_are(
    pods: list[dict[str, Any]], documents: list[dict[str, Any]]
) -> None:
    named = [pod["metadata"]["labels"] for pod in pods]
    named += [each["spec"]["template"]["metadata"]["labels"] for each in documents if each["kind"] == "StatefulSet"]
    for policy in (each["spec"] for each in documents if each["kind"] == "NetworkPolicy"):
        peers = [peer for rule in policy["ingress"] for peer in rule["from"]]
        ours = [peer["podSelector"] for peer in peers if "namespaceSelector" not in peer]
        assert ours and all(each["matchLabels"] in named for each in [policy["podSelector"], *ours])


def test_the_head_finds_its_redis(service: dict[str, Any], documents: list[dict[str, Any]]) -> None:
    redis = next(each for each in documents if each["kind"] == "Service")
    options = service["rayClusterConfig"]["gcsFaultToleranceOptions"]
    assert options["redisAddress"] == f"{redis['metadata']['name']}:{redis['spec']['ports'][0]['port']}"


def test_secrets_come_by_reference(pods: list[dict[str, Any]], variables: dict[str, str]) -> None:
    for pod in pods:
        (container,) = pod["spec"]["containers"]
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert mounts.keys() == {each["name"] for each in pod["spec"]["volumes"]}
        assert f"{mounts['secrets']}/" == SECRETS and mounts["var"] == variables["TROUPE_VAR"]
        assert "env" not in container


def test_nothing_kept_in_the_repository_is_a_secret(documents: list[dict[str, Any]]) -> None:
    assert not [each for each in documents if each["kind"] == "Secret"]
    environment = next(each["data"] for each in documents if each["kind"] == "ConfigMap")
    assert environment and not [name for name in environment if name.startswith("RAY_AUTH_")]


def test_what_is_in_front_lets_through_what_we_do(documents: list[dict[str, Any]]) -> None:
    notes = next(each["metadata"]["annotations"] for each in documents if each["kind"] == "Ingress")
    told = {name.rpartition("/")[2]: value for name, value in notes.items()}
    assert int(told["proxy-body-size"].removesuffix("m")) * MIB > Settings.model_fields["video_mib"].default * MIB
    assert int(told["proxy-read-timeout"]) > Settings.model_fields["sync_s"].default


def composed() -> str:
    """The file with its variables' defaults in their places."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_compose_knows_every_field() -> None:
    PyCompose.from_yaml(composed())
    with pytest.raises(ValueError, match="healthchek"):
        PyCompose.from_yaml(composed().replace("healthcheck", "healthchek", 1))


def test_the_servers_around_are_complete() -> None:
    compose = load("deploy/compose.yaml")
    services = compose["services"]
    assert services.keys() == {"postgres", "redis", "s3", "prometheus", "grafana"}
    assert {name for each in services.values() for name in each.get("secrets", [])} == compose["secrets"].keys()
    volumes = [volume.partition(":")[0] for each in services.values() for volume in each["volumes"]]
    assert compose["volumes"].keys() == {name for name in volumes if "/" not in name and "$" not in name}
    assert all((DEPLOY / name).exists() for name in volumes if name.startswith("./"))
    for each in services.values():
        assert all(port.startswith("${BIND:-127.0.0.1}:") for port in each.get("ports", []))
        assert each.get("ports") or each["network_mode"] == "host"


def test_servers_are_where_they_are_looked_for(variables: dict[str, str]) -> None:
    services = load("deploy/compose.yaml")["services"]
    assert variables["AWS_ENDPOINT_URL"].rpartition(":")[2] in services["s3"]["ports"][0]
    (ray,) = load("deploy/prometheus.yaml")["scrape_configs"]
    (place,) = ray["file_sd_configs"][0]["files"]
    assert any(volume.endswith(f":{Path(place).parent}:ro") for volume in services["prometheus"]["volumes"])
    (source,) = load("deploy/grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    listens = next(word for word in services["prometheus"]["command"] if "listen-address" in word)
    assert source["url"] == f"http://{listens.partition('=')[2]}"
    (board,) = load("deploy/grafana/provisioning/dashboards/troupe.yaml")["providers"]
    assert any(board["options"]["path"] in volume for volume in services["grafana"]["volumes"])
