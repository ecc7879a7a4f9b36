"""A second cluster, whose models listen, see and draw by neural networks: small ones that the tests build."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.checkpoints import diffusion, f5tts, sight, whisper
from tests.conftest import ROOT

# By id in the catalogue: what builds its folder, given to its engine as `weights`; None: it needs none.
MODELS: dict[str, Callable[[Path], None] | None] = {
    "base": whisper.build,
    "stable-diffusion-v1-5": diffusion.stable_diffusion,
    "stable-diffusion-xl": diffusion.stable_diffusion_xl,
    "resnet50": sight.build_resnet,
    "detr-resnet-50": sight.build_detr,
    "mtcnn": None,
    "SyncTalk": None,
    "f5tts": f5tts.build,
}
VOCODER = {"f5tts": f5tts.build_vocoder}  # a second folder, given as `vocoder`
SHARED = {"pictures": {"models": ["stable-diffusion-v1-5", "stable-diffusion-xl"], "memory_mib": 1}}  # room for one


def config(folder: Path) -> Path:
    """A configuration that serves the tests' models and these."""
    whole = yaml.safe_load((ROOT / "serve_config.test.yaml").read_text(encoding="utf-8"))
    application: dict[str, Any] = whole["applications"][0]
    application["args"]["shared"] = SHARED
    together = {model for one in SHARED.values() for model in one["models"]}
    for name in {**MODELS, **SHARED}.keys() - together:
        application["deployments"].append({"name": name, "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}})
    for name, build in MODELS.items():
        application["args"]["models"].append(name)
        if build:
            build(folder / name)
            application["args"]["options"][name] = {"weights": str(folder / name)}
        if vocoder := VOCODER.get(name):
            vocoder(folder / f"{name}-vocoder")
            application["args"]["options"][name] |= {"vocoder": str(folder / f"{name}-vocoder"), "steps": 2}
    path = folder / "serve_config.yaml"
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return path
