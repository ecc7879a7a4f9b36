"""Teach a classifier the classes of a dataset, a folder of pictures for each.

    python -m training.classifier --base catalog/starter/classifier --dataset pictures.zip --output model --epochs 10

Interrupted, and begun again with the same arguments, it goes on where it was.
"""

import argparse
import json
import signal
import threading
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from contracts.errors import Cancelled, EngineFailed
from contracts.platform import Figures
from contracts.settings import Settings
from store.labelled import Labelled, packed
from store.runs import Run
from training.checkpoints import Checkpoints, Kept
from training.classifying import Training
from training.recipe import ClassifierConfig, Outcome, Report, ShouldStop


def train(
    config: ClassifierConfig,
    dataset: Iterable[Labelled],
    kept: Kept,
    output: Path,
    report: Report,
    should_stop: ShouldStop,
) -> Outcome:
    """Teach a classifier and keep it in `output`, as transformers loads it; it goes on from the newest checkpoint.

    `kept` gives the checkpoints of a fingerprint. One that has learnt nothing of held-out pictures is `EngineFailed`,
    and is not kept. When it should stop, it does within a batch, and keeps what was learnt.
    """
    with TemporaryDirectory() as scratch:
        try:
            training = Training(config, dataset, kept, Path(scratch), report, should_stop)
            try:
                training.run()
                outcome = training.judged()
            except Cancelled:
                outcome = training.outcome("stopped")
        except torch.OutOfMemoryError as error:
            raise EngineFailed("内存不足：请减小 batch_size。") from error
        if training.step and training.peers.leads:
            training.write(output, outcome)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dataset", type=Path, required=True, help="a zip with a folder for each class")
    parser.add_argument("--output", type=Path, required=True)
    for name, field in ClassifierConfig.model_fields.items():
        if name != "kind":
            kind = str if field.is_required() else type(field.default)
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=kind, default=field.default, required=field.is_required())
    given = vars(parser.parse_args())
    dataset, output = given.pop("dataset"), given.pop("output")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run = Run(Settings(artifacts_url=output.resolve().parent.as_uri()), output.name)
    with dataset.open("rb") as file:
        config, kept = ClassifierConfig(**given), lambda mark: Checkpoints(run, mark)
        outcome = train(config, packed(file), kept, output, tell, stop.is_set)
    run.clear()
    print(json.dumps(outcome.manifest, ensure_ascii=False, indent=1))


def tell(figures: Figures) -> None:
    right = figures.metrics.get("accuracy", 0)
    print(f"{figures.current_step}/{figures.total_steps}  loss {figures.loss:.4f}  accuracy {right:.1%}", flush=True)


if __name__ == "__main__":
    main()
