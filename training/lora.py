"""Fit a LoRA adapter to conversations, instructions or texts; the base in four bits: QLoRA.

    python -m training.lora --base catalog/starter/lm --dataset samples.jsonl --output adapter --epochs 3

Interrupted, and begun again with the same arguments, it goes on where it was.
"""

import argparse
import json
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import torch

from contracts.errors import Cancelled, EngineFailed
from contracts.platform import Figures
from contracts.settings import Settings
from store.runs import Run
from store.samples import Part, laid_at
from training.checkpoints import Checkpoints, Kept
from training.fitting import Training
from training.recipe import Config, Outcome, Report, ShouldStop


def train(
    config: Config,
    dataset: Sequence[Part],
    kept: Kept,
    output: Path,
    report: Report,
    should_stop: ShouldStop,
) -> Outcome:
    """Teach an adapter and keep it in `output`, which `peft` and vLLM load; it goes on from the newest checkpoint.

    `kept` gives the checkpoints of a fingerprint. An adapter that is no better than its base at what was held out is
    `EngineFailed`, and is not kept. When it should stop, it does within a batch, and keeps what was learnt.
    """
    try:
        training = Training(config, dataset, kept, report, should_stop)
        try:
            training.run()
            outcome = training.judged()
        except Cancelled:
            outcome = training.outcome("stopped")
    except torch.OutOfMemoryError as error:
        raise EngineFailed("内存不足：请减小 batch_size 或 max_length，或用 QLoRA。") from error
    if training.step and training.peers.leads:
        training.write(output, outcome)
    return outcome


def main() -> None:
    config, dataset, output = arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run = Run(Settings(artifacts_url=output.resolve().parent.as_uri()), output.name)
    outcome = train(config, laid_at(dataset), lambda mark: Checkpoints(run, mark), output, tell, stop.is_set)
    run.clear()
    print(json.dumps(outcome.manifest, ensure_ascii=False, indent=1))


def arguments() -> tuple[Config, Path, Path]:
    """What to learn, of which file, and where the adapter goes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--quantized", action="store_true", help="QLoRA")
    for name, field in Config.model_fields.items():
        if name != "quantized":
            kind = str if field.is_required() else type(field.default)
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=kind, default=field.default, required=field.is_required())
    given = vars(parser.parse_args())
    dataset, output = given.pop("dataset"), given.pop("output")
    return Config(**given), dataset, output


def tell(figures: Figures) -> None:
    pace = figures.metrics.get("tokens_per_s", 0)
    print(f"{figures.current_step}/{figures.total_steps}  loss {figures.loss:.4f}  {pace:.0f} tokens/s", flush=True)


if __name__ == "__main__":
    main()
