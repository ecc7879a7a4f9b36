"""Train the starter language model.   python -m training.starter.lm.train --minutes 75 --threads 1

Running it again on the same folder goes on where it stopped. SIGTERM and SIGINT write a checkpoint and end it. A longer
`--minutes` extends the run; one a little above what is done finishes it soon, with the low rates of the cosine's end.
"""

import argparse
import signal
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from training.starter.lm.run import Config, Progress, Run
from training.starter.lm.tokenizer import trained


def kept_tokenizer(folder: Path, seed: int) -> PreTrainedTokenizerFast:
    """The folder's tokenizer, trained where it has none."""
    path = folder / "tokenizer"
    if not (path / "tokenizer.json").exists():
        trained(seed).save_pretrained(path)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(path)
    return tokenizer


def run(config: Config) -> Run:
    """The whole training; ends early with a checkpoint on SIGTERM or SIGINT."""
    asked_to_stop: list[int] = []
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda number, _: asked_to_stop.append(number))
    training = Run(config, kept_tokenizer(config.folder, config.seed))
    training.train(_printer(config), lambda: bool(asked_to_stop))
    return training


def _printer(config: Config) -> Callable[[Progress], None]:
    """A line every 20 steps; its minutes are of processor time."""
    recent: deque[tuple[float, int]] = deque(maxlen=100)

    def report(at: Progress) -> None:
        recent.append((at.elapsed_s, at.tokens))
        if at.step % 20:
            return
        elapsed, tokens = recent[0]
        speed = (at.tokens - tokens) / max(at.elapsed_s - elapsed, 1e-9)
        left = at.elapsed_s * (1 / max(at.part(config), 1e-9) - 1) / 60
        print(
            f"step {at.step} loss {at.loss:.4f} {speed:.0f} tokens/s {at.tokens / 1e6:.2f} M left {left:.0f} min",
            flush=True,
        )

    return report


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    kept = Path(tempfile.gettempdir()) / "starter-lm"
    parser.add_argument("--folder", type=Path, default=kept, help=f"checkpoints and the tokenizer ({kept})")
    parser.add_argument("--minutes", type=float, default=Config.minutes, help="of processor time (75)")
    parser.add_argument("--steps", type=int, help="a fixed number of steps instead of minutes")
    parser.add_argument("--threads", type=int, default=0, help="0: all; 1 when other work shares the cores")
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=bf16_pays())
    return parser


def bf16_pays() -> bool:
    """Whether this processor multiplies bf16 in hardware."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def config_of(given: argparse.Namespace) -> Config:
    if given.threads:
        torch.set_num_threads(given.threads)
    return Config(given.folder, given.seed, given.minutes, given.steps, bf16=given.bf16)


if __name__ == "__main__":
    run(config_of(arguments().parse_args()))
