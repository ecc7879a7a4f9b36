"""Imports point one way, and Ray stays at the edge."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {  # a folder may import those named, and itself
    "contracts": set(),
    "store": {"contracts"},
    "jobs": {"contracts", "store"},
    "deployments": {"contracts"},
    "graphs": {"contracts"},
    "training": {"contracts", "store", "deployments", "graphs"},
    "api": {"contracts", "store", "jobs", "graphs"},
    "cli": {"contracts", "store", "deployments", "api", "graphs", "jobs"},
}
SEES_ALL = {Path("graphs/app.py"), Path("graphs/models.py")}
TAUGHT = Path("training/starter")  # by the grammars of the engines, and judged by the checks of the pipelines
MAY_IMPORT_RAY = {
    "graphs/app.py",
    "graphs/models.py",
    "deployments/metrics.py",
    "deployments/remote.py",
    "cli/cluster.py",
}
HEAVY = {"torch", "vllm", "diffusers", "transformers", "faster_whisper"}


def modules(layer: str) -> list[Path]:
    return [path.relative_to(ROOT) for path in (ROOT / layer).rglob("*.py")]


def modules_of(path: Path) -> set[str]:
    """What it imports from, in full."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    for path in modules(layer):
        foreign = imports(path) & LAYERS.keys() - {layer}
        allowed = set(LAYERS) if path in SEES_ALL else LAYERS[layer]
        if path.is_relative_to(TAUGHT):
            allowed = allowed | {"deployments", "graphs"}
        assert foreign <= allowed, f"{path} imports {foreign - allowed}"


@pytest.mark.parametrize("layer", LAYERS)
def test_only_the_edge_imports_ray(layer: str) -> None:
    for path in modules(layer):
        if "ray" in imports(path):
            assert str(path) in MAY_IMPORT_RAY or path.name == "deployment.py" or layer in ("jobs", "training"), path


def test_contracts_and_routes_start_light() -> None:
    for path in modules("contracts") + modules("api"):
        assert not imports(path, top_level_only=True) & HEAVY, path


def test_no_module_outgrows_its_idea() -> None:
    for layer in LAYERS:
        for path in modules(layer):
            assert (ROOT / path).read_text(encoding="utf-8").count("\n") <= 400, path


def test_an_ingress_starts_without_torch() -> None:
    """Nor does a worker; each is started anew when it dies, and torch takes seconds and 200 MiB."""
    code = "import graphs.app, sys; sys.exit(bool({'torch', 'transformers', 'ray.train'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_who_is_filmed_and_who_learns_share_no_code() -> None:
    """Else a trainer would know a head that it only has to find."""
    avatar, filmed = Path("training/avatar"), Path("training/avatar/synthetic")
    for path in (each for each in modules("training") if each.is_relative_to(avatar) and each != avatar / "known.py"):
        named = {name for name in modules_of(path) if name.startswith("training.")}
        inside = {name for name in named if name.startswith("training.avatar.synthetic")}
        assert named - inside == set() if path.is_relative_to(filmed) else inside == set(), path
