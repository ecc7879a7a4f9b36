"""A training run that can be stopped at any step and goes on as if it had not been."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import WhisperTokenizer

from training.starter.asr import phases
from training.starter.asr.batches import Batch, Batches, loaded
from training.starter.asr.model import configured, fresh, losses_of
from training.starter.lm.optimizers import Optimizers

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Config:
    """`steps` bounds and schedules a run by its steps; without it `minutes` does: processor time of each thread, so
    that a busy machine takes longer and learns as much."""

    folder: Path
    seed: int = 1
    minutes: float = 150
    steps: int | None = None
    learning_rate: float = 2e-3
    warmup: int = 100  # steps
    layers: tuple[int, int] = (4, 2)
    width: int = 192
    every_s: float = 180  # between checkpoints
    bf16: bool = False
    beside: bool = True  # batches are made by another process


@dataclass
class Progress:
    """How far the run has come; losses are smoothed. `phase`, `pool` and `index` say which batch is next."""

    step: int = 0
    elapsed_s: float = 0.0
    windows: int = 0
    sound_s: float = 0.0
    phase: int = 0
    pool: int = 0
    index: int = 0
    loss: float = math.nan  # of a token
    named: float = math.nan  # of a phoneme
    losses: tuple[tuple[int, float, float], ...] = ()  # (step, loss, named) now and then, for the model card

    def part(self, config: Config) -> float:
        """0 at the start, 1 at the end."""
        return self.step / config.steps if config.steps else self.elapsed_s / (config.minutes * 60)


class Run:
    """A model in training. The same seed and steps give the same losses on one machine, resumed or not."""

    def __init__(self, config: Config, tokenizer: WhisperTokenizer, names: list[str]) -> None:
        self.config, self.tokenizer, self.names, self.progress = config, tokenizer, names, Progress()
        self.model = fresh(configured(tokenizer, config.layers, config.width), len(names), config.seed)
        self.optimizers = Optimizers(self.model, config.learning_rate)
        if (config.folder / CHECKPOINT).exists():
            self._restore()

    def train(self, report: Callable[[Progress], None], stopped: Callable[[], bool]) -> None:
        """Steps until the budget is spent or `stopped`; a checkpoint every few minutes and at the end."""
        config, at, saved = self.config, self.progress, time.monotonic()
        stream, streamed = self._batches(), at.phase
        self.model.train()
        while at.part(config) < 1 and not stopped():
            started = time.process_time()
            if self._next_phase() != streamed:
                stream, streamed = self._batches(), at.phase
            self._step(next(stream))
            at.elapsed_s += (time.process_time() - started) / torch.get_num_threads()
            report(at)
            if time.monotonic() - saved > config.every_s:
                self.save()
                saved = time.monotonic()
        self.save()

    def _batches(self) -> Iterator[Batch]:
        at, config = self.progress, self.config
        return loaded(Batches(self.tokenizer, self.names, config.seed, at.phase, (at.pool, at.index)), config.beside)

    def _next_phase(self) -> int:
        """The phase that the run is in by now; a new one begins with a pool of its own."""
        at = self.progress
        now = phases.at(at.part(self.config))
        if now != at.phase:
            at.phase, at.pool, at.index = now, at.pool + 1, 0
        return now

    def _step(self, batch: Batch) -> None:
        self.optimizers.rate(self.config.learning_rate * _scale(self.progress, self.config))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            told, named = losses_of(self.model, batch)
        share = phases.PHASES[self.progress.phase].ctc
        ((1 - share) * told + share * named).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizers.step()
        self._count(batch, told.item(), named.item())

    def _count(self, batch: Batch, told: float, named: float) -> None:
        at = self.progress
        at.step, at.windows = at.step + 1, at.windows + len(batch.tokens)
        at.sound_s += batch.frames.sum().item() / 100
        at.pool, at.index = batch.pool, batch.index + 1
        at.loss, at.named = (
            new if math.isnan(old) else 0.98 * old + 0.02 * new for old, new in ((at.loss, told), (at.named, named))
        )
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4), round(at.named, 4)))

    def save(self) -> None:
        """Weights, optimizer and place, in one step or not at all."""
        self.config.folder.mkdir(parents=True, exist_ok=True)
        whole = {
            "model": self.model.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "at": vars(self.progress),
        }
        part = self.config.folder / f"{CHECKPOINT}.part"
        torch.save(whole, part)
        part.replace(self.config.folder / CHECKPOINT)

    def _restore(self) -> None:
        kept: dict[str, Any] = torch.load(self.config.folder / CHECKPOINT, weights_only=True)
        self.model.load_state_dict(kept["model"])
        self.optimizers.load_state_dict(kept["optimizers"])
        self.progress = Progress(**kept["at"])


def _scale(at: Progress, config: Config) -> float:
    """Warm-up, then a cosine from 1 to 0.02."""
    cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * min(at.part(config), 1))) / 2
    return min((at.step + 1) / config.warmup, cosine)
