"""One model made of an adapter and its base, and kept in the store: a Ray task of a job."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts.errors import Conflict, NotFound, Unavailable
from contracts.jobs import Job
from contracts.platform import MANIFEST, MergeTask
from contracts.settings import Settings
from deployments.chat.adapters import FILES
from deployments.revisions import revision_of
from deployments.weights import folder as folder_of
from store.artifacts import Artifacts
from store.disk import GIB, folder_of_files, free_bytes


def make_merged(job: Job, weights: str, revision: str) -> dict[str, Any]:
    """The keys of its folder and its manifest, which comes last. Made again, it takes the place of what was made.

    Stopped meanwhile: `Cancelled`; the weights are not those that the adapter was taught beside: `Conflict`.
    """
    settings, task = Settings(), MergeTask.model_validate(job.params)
    base = folder_of(weights, revision)
    _check_room(settings, base)
    files = Artifacts(settings.model_copy(update={"min_free_gib": 0}))  # it has begun, and may use what is kept free
    with TemporaryDirectory(dir=_beside(settings)) as scratch:
        adapter, target = Path(scratch) / "adapter", Path(scratch) / "merged"
        manifest = _fetched(files, task.adapter, adapter)
        if manifest["base_revision"] != revision_of(base, revision):
            raise Conflict("这个微调模型是在另一版本的基础模型上训练的，请重新训练。", param="task_id")
        _merge(base, adapter, target)
        (target / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        for path in sorted(target.iterdir(), key=lambda path: path.name == MANIFEST):
            files.check_wanted(job.made())
            files.upload(f"{task.output}/{path.name}", path, job.owner)
    return {"model": task.output, "manifest": manifest}


def _fetched(files: Artifacts, key: str, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    try:
        for name in FILES:
            files.fetch(f"{key}/{name}", folder / name)
    except NotFound:
        raise NotFound("这个微调模型已被删除。", param="task_id") from None
    return dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))


def _merge(base: Path, adapter: Path, target: Path) -> None:
    from training.adapters import merge  # torch, which who starts the task need not have

    merge(base, adapter, target)


def _check_room(settings: Settings, base: Path) -> None:
    """Small models may be twice as large afterwards: they are kept in float32."""
    needed = 2 * sum(file.stat().st_size for kind in ("*.safetensors", "*.bin") for file in base.glob(kind))
    places = [settings.var, folder_of_files(settings)]
    if any(free_bytes(place) < needed + settings.min_free_gib * GIB for place in places if place):
        raise Unavailable(f"磁盘空间不足：合并后的模型需要 {needed / GIB:.1f} GB。")


def _beside(settings: Settings) -> Path | None:
    """Where half-written files lie, so that they are moved and not copied, and swept when this is killed."""
    if folder := folder_of_files(settings):
        folder = folder / ".scratch"
        folder.mkdir(parents=True, exist_ok=True)
    return folder
