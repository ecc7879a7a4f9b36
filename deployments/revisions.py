"""Which weights a folder holds, so that what was taught beside some is not put beside others."""

import hashlib
from pathlib import Path

from contracts.catalog import ModelSpec
from contracts.settings import revision as revision_of_code
from deployments.weights import local


def revision_of(folder: Path, revision: str = "") -> str:
    """As they are pinned, else a hash of their files' names, sizes and beginnings."""
    if revision:
        return revision
    digest = hashlib.sha256()
    kinds = "*.safetensors", "*.bin", "**/*.safetensors", "**/*.bin"  # diffusers has a folder for each part
    for file in next(filter(None, (sorted(folder.glob(kind)) for kind in kinds)), []):
        with file.open("rb") as opened:
            digest.update(f"{file.name} {file.stat().st_size} ".encode() + opened.read(1 << 20))
    return f"sha256:{digest.hexdigest()}"


def revision_of_model(spec: ModelSpec) -> str:
    """Of the weights that a model runs with; of an engine without weights, the code's."""
    weights, pinned = str(spec.options.get("weights", "")), str(spec.options.get("revision") or "")
    if not weights:
        return revision_of_code()
    place = local(weights, pinned)
    return pinned if place is None or (not Path(weights).is_dir() and pinned) else revision_of(place)
