"""Classifiers that callers have taught, out of the store."""

import tempfile
from pathlib import Path

from contracts.artifacts import Files
from contracts.errors import NotFound
from contracts.platform import MANIFEST
from deployments.classification.engine import ClassificationEngine
from deployments.registry import build

FILES = ("config.json", "model.safetensors", "preprocessor_config.json", MANIFEST)


def taught(files: Files, key: str, device: str = "") -> ClassificationEngine:
    """The model in a folder of the store, ready to work. Gone: `NotFound`. Blocking."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for name in FILES:
                files.fetch(f"{key}/{name}", Path(scratch) / name)
        except NotFound:
            raise NotFound("这个分类模型已被删除。", param="model") from None
        engine: ClassificationEngine = build("classification", "transformers", {"weights": scratch, "device": device})
        engine.load()
    return engine
