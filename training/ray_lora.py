"""A training of an adapter on Ray Train: `python -m training.ray_lora <job> <attempt>`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from store.artifacts import Artifacts
from store.runs import Run
from store.samples import parts
from training.checkpoints import Checkpoints
from training.lora import train
from training.papers import Told
from training.ray_work import Line, drive, publish
from training.ray_work import work as worked
from training.recipe import Config, Outcome


def work(arguments: dict[str, str]) -> None:
    worked(arguments, trained)


def trained(run: Run, files: Artifacts, line: Line) -> Told:
    plan = line.papers.plan()
    assert isinstance(plan.config, Config)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "adapter"
        dataset = parts(files, plan.dataset)
        kept = lambda mark: Checkpoints(run, mark)  # noqa: E731
        outcome = train(plan.config, dataset, kept, folder, line.report, line.should_stop)
        key = "" if line.superseded else publish(files, folder, f"{plan.output}/{run.id}", plan.owner)
    return _told(outcome, key)


def _told(outcome: Outcome, key: str) -> Told:
    state = "completed" if outcome.state == "completed" else "stopped"
    return Told(state=state, figures=outcome.figures, manifest=outcome.manifest, adapter=key)


def main() -> None:
    drive(work)


if __name__ == "__main__":
    from training.ray_lora import main as entry  # not `__main__`: workers find what they run by its module's name

    entry()
