"""A training of an avatar, as Ray Train's worker does it (`training.on_ray`)."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.errors import Cancelled
from deployments.pretrained import best_device
from store.artifacts import Artifacts
from store.runs import Run
from training.avatar.config import AvatarConfig
from training.avatar.train import Asked, trained_avatar
from training.checkpoints import Checkpoints
from training.papers import Told
from training.ray_work import Line, place_of, publish


def trained(run: Run, files: Artifacts, line: Line) -> Told:
    """Its avatar is in the store when its mouth follows the voice; else what it has learnt, which is no avatar."""
    plan, ready = line.papers.plan(), place_of(run.settings) / f"{run.id}-prepared"  # which outlives a worker
    assert isinstance(plan.config, AvatarConfig)
    with TemporaryDirectory() as scratch:
        film, folder = Path(scratch) / "film", Path(scratch) / "avatar"
        files.fetch(plan.dataset, film)
        asked = Asked(
            config=plan.config,
            film=film,
            folder=folder,
            cache=ready,
            licence=plan.notes.get("licence", ""),
            consent=plan.notes.get("consent", ""),
            device=best_device(),
        )
        show = lambda name, content: files.upload(f"{plan.output}/{name}", content, plan.owner)  # noqa: E731
        kept = lambda mark: Checkpoints(run, mark)  # noqa: E731
        try:
            manifest = trained_avatar(asked, kept, line.report, line.should_stop, show)
        except Cancelled:
            return Told(state="stopped", figures=line.told.figures)
        finally:
            shutil.rmtree(ready, ignore_errors=True)
        key = "" if line.superseded else publish(files, folder, plan.output, plan.owner)
    return Told(state="completed", figures=line.told.figures, manifest=manifest.model_dump(mode="json"), adapter=key)
