"""Train the starter language model.   python -m training.starter.lm.train --minutes 75 --threads 1

Running it again on the same folder goes on where it stopped. SIGTERM and SIGINT write a checkpoint and end it. A longer
`--minutes` extends the run; one a little above what is done finishes it soon, with the low rates of the cosine's end.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from training.starter import command
from training.starter.lm.run import Config, Progress, Run
from training.starter.lm.tokenizer import trained
from training.starter.shares import Shares


def kept_tokenizer(folder: Path, seed: int, start: Path | None = None) -> PreTrainedTokenizerFast:
    """The folder's tokenizer; where it has none, that of the model which the training starts with, or a new one."""
    path = folder / "tokenizer"
    if not (path / "tokenizer.json").exists():
        first = PreTrainedTokenizerFast.from_pretrained(start) if start else trained(seed)
        first.save_pretrained(path)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(path)
    return tokenizer


def arguments(description: str | None = __doc__) -> argparse.ArgumentParser:
    parser = command.arguments("starter-lm", Config, description)
    parser.add_argument("--weights", type=Path, help="a model whose weights are the first ones; take another seed then")
    return parser


def run(given: argparse.Namespace) -> Run:
    """What the arguments ask for, as far as it came."""
    config = replace(command.config_of(given, Config), start=given.weights)
    tokenizer = Shares().in_turn(lambda: kept_tokenizer(config.folder, config.seed, config.start))
    training = Run(config, tokenizer)
    command.see_through(training, command.printer(config, "tokens", _tokens, lambda at: f"{at.tokens / 1e6:.2f} M"))
    return training


def _tokens(at: Progress) -> int:
    return at.tokens


if __name__ == "__main__":
    run(arguments().parse_args())
