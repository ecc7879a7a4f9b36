"""Where a model's files lie: in a folder that is named, or from a hub, Hugging Face or ModelScope (`TROUPE_HUB`)."""

import json
from collections.abc import Callable
from pathlib import Path

from contracts.errors import Unavailable
from contracts.settings import Settings

DOUBLED = ["*.pt", "*.pth", "*.h5", "*.msgpack", "*.onnx", "*.gguf", "original/*"]  # beside safetensors
COMPLETE = ".complete"  # in a folder that came from ModelScope


def folder(weights: str, revision: str = "") -> Path:
    """What is here is taken as it is; else it is got from the hub. Neither: `Unavailable`."""
    return local(weights, revision) or pulled(weights, revision)


def local(weights: str, revision: str = "") -> Path | None:
    """The folder, when all of it is here."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if Path(weights).is_dir():
        return Path(weights)
    if (_kept(weights) / COMPLETE).is_file():
        return _kept(weights)
    try:
        found = Path(snapshot_download(weights, revision=revision or None, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None
    return found if _whole(found) else None


def pulled(weights: str, revision: str = "") -> Path:
    """Get it from the hub, with bars of progress; what came before an interruption is kept and continued."""
    hub = Settings().hub
    sources: dict[str, Callable[[str, str], Path]] = {"huggingface": _huggingface, "modelscope": _modelscope}
    problems = []
    for name in sources if hub == "auto" else [hub]:
        try:
            return sources[name](weights, revision)
        except Unavailable as problem:
            problems.append(problem.message)
    raise Unavailable(" ".join(problems))


def _whole(found: Path) -> bool:
    """A snapshot of the Hub's, of which nothing is missing: every shard is there, and none is still coming."""
    if any((found.parents[1] / "blobs").glob("*.incomplete")):
        return False
    shards = {name for index in found.rglob("*.index.json") for name in _shards(index)}
    weights = [file for kind in ("*.safetensors", "*.bin") for file in found.rglob(kind)]
    return bool(weights) and all(path.is_file() for path in shards)


def _shards(index: Path) -> set[Path]:
    """Those of the format that was got."""
    named = {index.parent / name for name in json.loads(index.read_bytes()).get("weight_map", {}).values()}
    return named if any(path.is_file() for path in named) else set()


def _huggingface(weights: str, revision: str) -> Path:
    """Of files that are there in several formats, safetensors alone."""
    import httpx2
    from huggingface_hub import model_info, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        listed = model_info(weights, revision=revision or None).siblings or []
        safe = any(each.rfilename.endswith(".safetensors") for each in listed)
        unwanted = [*DOUBLED, "*.bin"] if safe else DOUBLED
        return Path(snapshot_download(weights, revision=revision or None, ignore_patterns=unwanted))
    except (HfHubHTTPError, HFValidationError, httpx2.HTTPError, OSError) as error:
        raise Unavailable(
            f"{weights!r} is no folder here, and Hugging Face does not give it ({type(error).__name__}). Let this "
            "machine reach it (HF_ENDPOINT names a mirror), accept the model's licence and set HF_TOKEN where it has "
            "one to accept, or name a folder in the model's options."
        ) from error


def _modelscope(weights: str, revision: str) -> Path:
    """Its latest: revisions in the catalogue are Hugging Face's."""
    try:
        from modelscope import snapshot_download
    except ImportError:
        raise Unavailable("ModelScope needs the package `modelscope`, which is not installed here.") from None
    try:
        snapshot_download(weights, local_dir=str(_kept(weights)), ignore_patterns=DOUBLED)
    except (OSError, ValueError) as error:
        raise Unavailable(f"ModelScope does not give {weights!r} ({type(error).__name__}).") from error
    (_kept(weights) / COMPLETE).touch()
    return _kept(weights)


def _kept(weights: str) -> Path:
    return Settings().var / "models" / weights
