"""A training on Ray Train, as a Ray Job runs it: `python -m training.on_ray <job> <attempt>`.

What is trained is said by its plan; avatars: `training.ray_avatar`.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from store.artifacts import Artifacts
from store.labelled import labelled
from store.runs import Run
from store.samples import parts
from training import classifier, lora, ray_avatar
from training.avatar.config import AvatarConfig
from training.checkpoints import Checkpoints
from training.papers import Plan, Told
from training.ray_work import Line, drive, publish
from training.ray_work import work as worked
from training.recipe import ClassifierConfig, Config, Outcome


def work(arguments: dict[str, str]) -> None:
    worked(arguments, trained)


def trained(run: Run, files: Artifacts, line: Line) -> Told:
    plan = line.papers.plan()
    if isinstance(plan.config, AvatarConfig):
        return ray_avatar.trained(run, files, line)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "learnt"
        outcome = _taught(plan, plan.config, run, files, folder, line)
        put = partial(publish, line, folder, f"{plan.output}/{run.id}", plan.owner)
        key = "" if line.superseded else line.patiently(put)
    return _told(outcome, key)


def _taught(
    plan: Plan, config: Config | ClassifierConfig, run: Run, files: Artifacts, folder: Path, line: Line
) -> Outcome:
    kept = lambda mark: Checkpoints(run, mark)  # noqa: E731
    if isinstance(config, ClassifierConfig):
        pictures = labelled(files, plan.dataset)
        return classifier.train(config, pictures, kept, folder, line.report, line.should_stop)
    return lora.train(config, parts(files, plan.dataset), kept, folder, line.report, line.should_stop)


def _told(outcome: Outcome, key: str) -> Told:
    state = "completed" if outcome.state == "completed" else "stopped"
    return Told(state=state, figures=outcome.figures, manifest=outcome.manifest, adapter=key)


def main() -> None:
    drive(work)


if __name__ == "__main__":
    from training.on_ray import main as entry  # not `__main__`: workers find what they run by its module's name

    entry()
