"""A training that can be stopped at any step and goes on as if it had not been: what starter models have in common."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.starter.optimizers import Optimizers
from training.starter.shares import Shares

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Config:
    """`steps` bounds and schedules a run by its steps; without it `minutes` does: processor time of each thread, so
    that a busy machine takes longer and learns as much."""

    folder: Path
    seed: int = 1
    minutes: float = 75
    steps: int | None = None
    learning_rate: float = 2e-3
    warmup: int = 100  # steps
    every_s: float = 180  # between checkpoints
    bf16: bool = False


@dataclass
class Progress:
    """How far the run has come; losses are smoothed. `pool` and `index` say which batch is next."""

    step: int = 0
    elapsed_s: float = 0.0
    pool: int = 0
    index: int = 0
    loss: float = math.nan

    def part(self, config: Config) -> float:
        """0 at the start, 1 at the end."""
        return self.step / config.steps if config.steps else self.elapsed_s / (config.minutes * 60)


C = TypeVar("C", bound=Config)
P = TypeVar("P", bound=Progress)
B = TypeVar("B")  # a batch


class Trainer(ABC, Generic[C, P, B]):
    """A model in training. The same seed and steps give the same losses on one machine, resumed or not, to rounding.

    Of so many batches as there are processes, each takes one for a step."""

    KERNELS: ClassVar[bool] = False  # of images, moved by Muon too
    SHARED: ClassVar[bool] = False  # whether several processes may train it

    def __init__(self, config: C, progress: P, model: nn.Module) -> None:
        """Goes on where the folder's checkpoint is."""
        self.config, self.progress = config, progress
        self._trained, self._optimizers = model, Optimizers(model, config.learning_rate, self.KERNELS)
        self._shares = Shares()
        if self._shares.size > 1 and not self.SHARED:
            raise ValueError("one process trains this model")
        if (config.folder / CHECKPOINT).exists():
            self._restore()

    @abstractmethod
    def batches(self) -> Iterator[B]:
        """Those that come next, without end; asked for again once they are `outdated`."""

    @abstractmethod
    def loss(self, batch: B) -> Tensor:
        """What is to fall; a number."""

    @abstractmethod
    def count(self, batch: B) -> None:
        """Takes down what a step has used, and which batch is next."""

    def backward(self, batch: B, loss: Tensor) -> None:
        """Gradients of the loss for every weight."""
        loss.backward()

    def outdated(self) -> bool:
        """Whether other batches are wanted from here on."""
        return False

    def train(self, report: Callable[[P], None], stopped: Callable[[], bool]) -> None:
        """Steps until the budget is spent or `stopped`; a checkpoint every few minutes and at the end."""
        config, at, shares, saved = self.config, self.progress, self._shares, time.monotonic()
        stream = self.batches()
        self._trained.train()
        while at.part(config) < 1 and not shares.mean(stopped()):
            started = time.process_time()
            if self.outdated():
                stream = self.batches()
            self._step([next(stream) for _ in range(shares.size)])
            at.elapsed_s += shares.mean((time.process_time() - started) / torch.get_num_threads())
            report(at)
            if time.monotonic() - saved > config.every_s:
                self.save()
                saved = time.monotonic()
        self.save()

    def _step(self, batches: Sequence[B]) -> None:
        """One batch for each process."""
        own = batches[self._shares.rank]
        self._optimizers.rate(self.config.learning_rate * _scale(self.progress, self.config))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            loss = self.loss(own)
        self.backward(own, loss)
        self._shares.average(self._trained.parameters())
        torch.nn.utils.clip_grad_norm_(self._trained.parameters(), 1.0)
        self._optimizers.step()
        self.progress.step += 1
        for batch in batches:
            self.count(batch)

    def save(self) -> None:
        """Weights, optimizer and place, in one step or not at all; of several processes the first one writes."""
        if self._shares.rank:
            return
        self.config.folder.mkdir(parents=True, exist_ok=True)
        whole = {
            "model": self._trained.state_dict(),
            "optimizers": self._optimizers.state_dict(),
            "at": vars(self.progress),
        }
        part = self.config.folder / f"{CHECKPOINT}.part"
        torch.save(whole, part)
        part.replace(self.config.folder / CHECKPOINT)

    def _restore(self) -> None:
        kept: dict[str, Any] = torch.load(self.config.folder / CHECKPOINT, weights_only=True)
        self._trained.load_state_dict(kept["model"])
        self._optimizers.load_state_dict(kept["optimizers"])
        self.progress = type(self.progress)(**kept["at"])


def smoothed(old: float, new: float) -> float:
    """An average in which fifty steps count."""
    return new if math.isnan(old) else 0.98 * old + 0.02 * new


def _scale(at: Progress, config: Config) -> float:
    """Warm-up, then a cosine from 1 to 0.02."""
    cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * min(at.part(config), 1))) / 2
    return min((at.step + 1) / config.warmup, cosine)
