"""Train the starter recogniser.   python -m training.starter.asr.train --minutes 150 --threads 1

Running it again on the same folder goes on where it stopped. SIGTERM and SIGINT write a checkpoint and end it. A longer
`--minutes` extends the run; one a little above what is done finishes it soon, with whole windows and low rates.
"""

import argparse
from collections.abc import Callable

from training.starter import command
from training.starter.asr.batches import names
from training.starter.asr.listen import error, kept_sample
from training.starter.asr.run import Config, Progress, Run
from training.starter.asr.tokenizer import LANGUAGES, kept

CLIPS = 12  # of each language, to measure the error with
LISTENS_S = 120.0  # of processor time, between measurements


def started(config: Config) -> Run:
    """A run with the folder's tokenizer and phonemes, which are made where it has none."""
    return Run(config, kept(config.folder / "tokenizer", config.seed), names(config.folder, config.seed))


def arguments(description: str | None = __doc__) -> argparse.ArgumentParser:
    return command.arguments("starter-asr", Config, description)


def run(given: argparse.Namespace) -> Run:
    """What the arguments ask for, as far as it came."""
    training = started(command.config_of(given, Config))
    command.see_through(training, _reporter(training))
    return training


def _reporter(training: Run) -> Callable[[Progress], None]:
    """The usual line, and the error now and then: a falling loss alone proves nothing."""
    samples = [kept_sample(training.config.seed, language, CLIPS) for language in LANGUAGES]
    listened = training.progress.elapsed_s
    printed = command.printer(training.config, "windows", _windows, lambda at: f"ctc {at.named:.4f} phase {at.phase}")

    def report(at: Progress) -> None:
        nonlocal listened
        printed(at)
        if at.elapsed_s - listened > LISTENS_S:
            for sample in samples:
                measured, told = error(training.model, training.tokenizer, sample)
                print(f"  {sample[0].language} error {measured:.3f} {told[0]!r} for {sample[0].text!r}", flush=True)
            listened = at.elapsed_s

    return report


def _windows(at: Progress) -> int:
    return at.windows


if __name__ == "__main__":
    run(arguments().parse_args())
