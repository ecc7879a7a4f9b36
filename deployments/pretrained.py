"""Models in the layout of transformers, from a folder or a hub: what their engines have in common."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.catalog import CATALOG
from contracts.errors import Unavailable
from deployments.weights import folder


def best_device() -> str:
    """A GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def pretrained(kind: Any, weights: str, revision: str) -> Any:
    """`kind.from_pretrained`; `weights`: a folder, or an id on a hub, of which `revision` is meant.

    `Unavailable` when it is neither, or not all of a model is there.
    """
    place = folder(weights, revision)
    try:
        return kind.from_pretrained(place)
    except OSError as error:  # transformers says so of files that are missing
        raise Unavailable(f"{weights!r} does not hold a whole model: {error}") from error


def words(path: str) -> Mapping[str, str]:
    """What to call a model's labels: a YAML or JSON file that maps them, of the catalogue or elsewhere; those that it
    leaves out keep theirs.
    """
    if not path:
        return {}
    file = CATALOG / path if (CATALOG / path).is_file() else Path(path)
    mapping = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {str(label): str(word) for label, word in mapping.items()}
