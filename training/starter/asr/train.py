"""Train the starter recogniser.   python -m training.starter.asr.train --minutes 150 --threads 1

Running it again on the same folder goes on where it stopped. SIGTERM and SIGINT write a checkpoint and end it. A longer
`--minutes` extends the run; one a little above what is done finishes it soon, with whole windows and low rates.
"""

import argparse
import signal
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import torch

from training.starter.asr.batches import names
from training.starter.asr.listen import error, kept_sample
from training.starter.asr.run import Config, Progress, Run
from training.starter.asr.tokenizer import LANGUAGES, kept
from training.starter.lm.train import bf16_pays

CLIPS = 12  # of each language, to measure the error with
LISTENS_S = 120.0  # of processor time, between measurements


def started(config: Config) -> Run:
    """A run with the folder's tokenizer and phonemes, which are made where it has none."""
    return Run(config, kept(config.folder / "tokenizer", config.seed), names(config.folder, config.seed))


def run(config: Config) -> Run:
    """The whole training; ends early with a checkpoint on SIGTERM or SIGINT."""
    asked_to_stop: list[int] = []
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda number, _: asked_to_stop.append(number))
    training = started(config)
    training.train(_printer(training), lambda: bool(asked_to_stop))
    return training


def _printer(training: Run) -> Callable[[Progress], None]:
    """A line every 20 steps, and the error now and then; its minutes are of processor time."""
    recent: deque[tuple[float, int]] = deque(maxlen=100)
    samples = [kept_sample(training.config.seed, language, CLIPS) for language in LANGUAGES]
    listened = training.progress.elapsed_s

    def report(at: Progress) -> None:
        nonlocal listened
        recent.append((at.elapsed_s, at.windows))
        if at.step % 20 == 0:
            elapsed, windows = recent[0]
            speed = (at.windows - windows) / max(at.elapsed_s - elapsed, 1e-9)
            print(
                f"step {at.step} phase {at.phase} loss {at.loss:.4f} ctc {at.named:.4f} {speed:.1f} windows/s"
                f" {at.elapsed_s / 60:.1f} of {training.config.minutes:.0f} min",
                flush=True,
            )
        if at.elapsed_s - listened > LISTENS_S:
            for sample in samples:
                measured, told = error(training.model, training.tokenizer, sample)
                print(f"  {sample[0].language} error {measured:.3f} {told[0]!r} for {sample[0].text!r}", flush=True)
            listened = at.elapsed_s

    return report


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(tempfile.gettempdir()) / "starter-asr"
    parser.add_argument("--folder", type=Path, default=folder, help=f"checkpoints and the tokenizer ({folder})")
    parser.add_argument("--minutes", type=float, default=Config.minutes, help="of processor time (150)")
    parser.add_argument("--steps", type=int, help="a fixed number of steps instead of minutes")
    parser.add_argument("--threads", type=int, default=0, help="0: all; 1 when other work shares the cores")
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=bf16_pays())
    return parser


def config_of(given: argparse.Namespace) -> Config:
    if given.threads:
        torch.set_num_threads(given.threads)
    return Config(given.folder, given.seed, given.minutes, given.steps, bf16=given.bf16)


if __name__ == "__main__":
    run(config_of(arguments().parse_args()))
