"""The command line that every starter model is trained by."""

import argparse
import ctypes
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from training.starter.shares import Shares
from training.starter.trainer import Config, Progress, Trainer

C = TypeVar("C", bound=Config)
P = TypeVar("P", bound=Progress)
T = TypeVar("T", bound=Trainer[Any, Any, Any])
Run = Callable[[argparse.Namespace], T]
Export = Callable[[T, Path], str]
STEPS = 20  # between two lines
TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of glibc's mallopt(3)


def arguments(name: str, kind: type[Config], description: str | None) -> argparse.ArgumentParser:
    """`name` of the folder for checkpoints, `kind` has the defaults."""
    folder = Path(tempfile.gettempdir()) / name
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--folder", type=Path, default=folder, help=f"checkpoints and the tokenizer ({folder})")
    parser.add_argument("--minutes", type=float, default=kind.minutes, help=f"of processor time ({kind.minutes})")
    parser.add_argument("--steps", type=int, help="a fixed number of steps instead of minutes")
    parser.add_argument("--threads", type=int, default=0, help="0: all; 1 when other work shares the cores")
    parser.add_argument("--seed", type=int, default=kind.seed)
    parser.add_argument("--learning-rate", type=float, default=kind.learning_rate, help=f"({kind.learning_rate})")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=bf16_pays())
    return parser


def config_of(given: argparse.Namespace, kind: type[C]) -> C:
    keep_memory()
    if given.threads:
        torch.set_num_threads(given.threads)
    return kind(given.folder, given.seed, given.minutes, given.steps, given.learning_rate, bf16=given.bf16)


def keep_memory() -> None:
    """What a step gives back to glibc stays with this process for the next one. Otherwise each large tensor is new
    pages from the kernel, a fifth of the language model's time."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(MMAP_MAX, 0)
        libc.mallopt(TRIM_THRESHOLD, -1)


def bf16_pays() -> bool:
    """Whether this processor multiplies bf16 in hardware."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def see_through(training: Trainer[Any, P, Any], report: Callable[[P], None]) -> None:
    """The whole training; ends early with a checkpoint on SIGTERM or SIGINT."""
    asked_to_stop: list[int] = []
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(wanted, lambda number, _: asked_to_stop.append(number)) for wanted in signals]
    training.train(report, lambda: bool(asked_to_stop))
    for wanted, handler in zip(signals, before, strict=True):
        signal.signal(wanted, handler)


def rebuild(parser: argparse.ArgumentParser, to: Path, run: Run[T], export: Export[T]) -> None:
    """Train to the end, then write the model into `to`, or where the arguments say, and print what it can do."""
    parser.add_argument("--to", type=Path, default=to)
    given = parser.parse_args()
    training = run(given)
    if training.progress.part(training.config) < 1:
        raise SystemExit("stopped before its end; the same command goes on")
    if not Shares().rank:
        print(export(training, given.to))


def printer(config: Config, unit: str, used: Callable[[P], int], more: Callable[[P], str]) -> Callable[[P], None]:
    """A line every 20 steps; its minutes are of processor time. `used`: how much so far of what `unit` names."""
    recent: deque[tuple[float, int]] = deque(maxlen=100)

    def report(at: P) -> None:
        recent.append((at.elapsed_s, used(at)))
        if at.step % STEPS:
            return
        elapsed, before = recent[0]
        speed = (used(at) - before) / max(at.elapsed_s - elapsed, 1e-9)
        left = at.elapsed_s * (1 / max(at.part(config), 1e-9) - 1) / 60
        line = f"step {at.step} loss {at.loss:.4f} {more(at)} {speed:.0f} {unit}/s left {left:.0f} min"
        print(line, flush=True)

    return report
