"""Everything for Kubernetes as one stream, with serve_config.yaml and deploy/node/environment in it.

python deploy/kuberay/render.py | kubectl apply --namespace troupe -f -
"""

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
THE_OPERATORS = ("RAY_AUTH_",)  # Ray's token comes from a secret that the operator knows


def main() -> None:
    yaml.SafeDumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # people read it
    print(yaml.safe_dump_all(documents(), allow_unicode=True, sort_keys=False), end="")


def documents() -> list[dict[str, Any]]:
    """Redis, who may talk to whom, TLS, the environment of every node, and the RayService."""
    service = _load("rayservice.yaml")[0]
    service["spec"]["serveConfigV2"] = serve_config()
    return [environment(), *_load("redis.yaml"), *_load("networkpolicy.yaml"), *_load("ingress.yaml"), service]


def serve_config() -> str:
    """The cluster's, reached at every address of a pod; the network policy says by whom."""
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    config["http_options"]["host"] = "0.0.0.0"  # noqa: S104
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False)


def environment() -> dict[str, Any]:
    lines = (HERE.parent / "node" / "environment").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    data = {name: value for name, _, value in pairs if not name.startswith(THE_OPERATORS)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "troupe-environment"}, "data": data}


def _load(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((HERE / name).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
