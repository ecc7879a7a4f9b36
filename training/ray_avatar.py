"""A training of an avatar, as Ray Train's worker does it (`training.on_ray`)."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.artifacts import Provenance
from contracts.errors import Cancelled, Unavailable
from deployments.pretrained import best_device
from store.artifacts import Artifacts
from store.runs import Run
from training.avatar.config import AvatarConfig
from training.avatar.train import PREVIEW, Asked, trained_avatar
from training.checkpoints import Checkpoints
from training.papers import Told
from training.ray_work import Line, outliving, place_of, publish


def trained(run: Run, files: Artifacts, line: Line) -> Told:
    """Its avatar is in the store when its mouth follows the voice; else what it has learnt, which is no avatar."""
    plan, ready = line.papers.plan(), place_of(run.settings) / f"{run.id}-prepared"  # which outlives a worker
    assert isinstance(plan.config, AvatarConfig)
    with TemporaryDirectory() as scratch, outliving(ready, line):
        film, folder = Path(scratch) / "film", Path(scratch) / "avatar"
        line.patiently(lambda: files.fetch(plan.dataset, film))
        asked = Asked(
            config=plan.config,
            film=film,
            folder=folder,
            cache=ready,
            licence=plan.notes.get("licence", ""),
            consent=plan.notes.get("consent", ""),
            device=best_device(),
        )
        keep = partial(_keep, files, plan.output, Provenance(owner=plan.owner, model=plan.config.model))
        kept = lambda mark: Checkpoints(run, mark)  # noqa: E731
        try:
            manifest = trained_avatar(asked, kept, line.report, line.should_stop, keep)
        except Cancelled:
            return Told(state="stopped", figures=line.told.figures)
        if line.should_stop():
            return Told(state="stopped", figures=line.told.figures)
        key = line.patiently(lambda: publish(line, folder, plan.output, plan.owner))
    return Told(state="completed", figures=line.told.figures, manifest=manifest.model_dump(mode="json"), adapter=key)


def _keep(files: Artifacts, folder: str, made: Provenance, name: str, content: bytes) -> None:
    """A preview bears the label of what is generated; weights are nothing to look at."""
    if name == PREVIEW:
        with suppress(Unavailable):  # there will be another one
            files.put(f"{folder}/{name}", content, made)
    else:
        files.upload(f"{folder}/{name}", content, made.owner)
