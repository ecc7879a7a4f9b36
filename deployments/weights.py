"""Where a model's files lie: in a folder of the catalogue or elsewhere, or on a hub, as `TROUPE_HUB` says."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from contracts.catalog import CATALOG, ModelSpec
from contracts.errors import Unavailable
from contracts.settings import Settings

DOUBLED = ["*.pt", "*.pth", "*.h5", "*.msgpack", "*.onnx", "*.gguf", "original/*"]  # beside safetensors
COMPLETE = ".complete"  # in a folder that came from ModelScope


def folder(weights: str, revision: str = "", only: Sequence[str] = ()) -> Path:
    """What is here is taken as it is; else it is got from the hub. Neither: `Unavailable`."""
    return local(weights, revision, only) or pulled(weights, revision, only)


def local(weights: str, revision: str = "", only: Sequence[str] = ()) -> Path | None:
    """The folder, when all of it is here: of the starter models, in a place that is named, or got from a hub before."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    for place in (CATALOG / weights, Path(weights)):
        if place.is_dir():
            return place
    if (_kept(weights) / COMPLETE).is_file():
        return _kept(weights)
    try:
        found = snapshot_download(
            weights,
            revision=revision or None,
            allow_patterns=list(only) or None,
            ignore_patterns=[*DOUBLED, "*.bin"],  # what was not got, and what `_whole` looks at itself
            local_files_only=True,
        )
    except (HFValidationError, LocalEntryNotFoundError):
        return None
    return Path(found) if _whole(Path(found)) else None


def is_here(spec: ModelSpec) -> bool:
    """Whether a model would start without a hub, as far as its weights go."""
    weights, revision = spec.options.get("weights", ""), spec.options.get("revision", "")
    return not weights or local(weights, revision) is not None


def pulled(weights: str, revision: str = "", only: Sequence[str] = ()) -> Path:
    """Get it from the hub, with bars of progress; files that came before an interruption are not got again.

    `only`: patterns of the files that are wanted; empty: all.
    """
    hub = Settings().hub
    sources: dict[str, Callable[[str, str, list[str] | None], Path]] = {
        "huggingface": _huggingface,
        "modelscope": _modelscope,
    }
    problems = []
    for name in sources if hub == "auto" else [hub]:
        try:
            return sources[name](weights, revision, list(only) or None)
        except Unavailable as problem:
            problems.append(problem.message)
    raise Unavailable(" ".join(problems))


def _whole(found: Path) -> bool:
    """Whether there are weights in a snapshot of the Hub's, and of sharded ones every shard: files come there whole."""
    shards = {name for index in found.rglob("*.index.json") for name in _shards(index)}
    weights = [file for kind in ("*.safetensors", "*.bin") for file in found.rglob(kind)]
    return bool(weights) and all(path.is_file() for path in shards)


def _shards(index: Path) -> set[Path]:
    """Those of the format that was got."""
    named = {index.parent / name for name in json.loads(index.read_bytes()).get("weight_map", {}).values()}
    return named if any(path.is_file() for path in named) else set()


def _huggingface(weights: str, revision: str, only: list[str] | None) -> Path:
    """Of files that are there in several formats, safetensors alone."""
    import httpx2
    from huggingface_hub import model_info, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        listed = model_info(weights, revision=revision or None).siblings or []
        safe = any(each.rfilename.endswith(".safetensors") for each in listed)
        unwanted = [*DOUBLED, "*.bin"] if safe else DOUBLED
        kept = snapshot_download(weights, revision=revision or None, allow_patterns=only, ignore_patterns=unwanted)
        return Path(kept)
    except (HfHubHTTPError, HFValidationError, httpx2.HTTPError, OSError) as error:
        raise Unavailable(
            f"{weights!r} is no folder here, and Hugging Face does not give it ({type(error).__name__}). Let this "
            "machine reach it (HF_ENDPOINT names a mirror), accept the model's licence and set HF_TOKEN where it has "
            "one to accept, or name a folder in the model's options."
        ) from error


def _modelscope(weights: str, revision: str, only: list[str] | None) -> Path:
    """Its latest: revisions in the catalogue are Hugging Face's."""
    try:
        from modelscope import snapshot_download
        from modelscope.hub import errors
    except ImportError:
        raise Unavailable("ModelScope needs the package `modelscope`, which is not installed here.") from None
    theirs = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    refusals: tuple[type[Exception], ...] = (OSError, ValueError, *theirs)  # theirs have no base of their own
    try:
        snapshot_download(weights, local_dir=str(_kept(weights)), allow_patterns=only, ignore_patterns=DOUBLED)
    except refusals as error:
        raise Unavailable(f"ModelScope does not give {weights!r} ({type(error).__name__}).") from error
    (_kept(weights) / COMPLETE).touch()
    return _kept(weights)


def is_pinned(place: Path) -> bool:
    """Whether a model's folder holds the revision that was asked for, or is somebody's own: ModelScope's is neither."""
    return not place.is_relative_to(Settings().var / "models")


def _kept(weights: str) -> Path:
    return Settings().var / "models" / weights
