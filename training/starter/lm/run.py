"""A training run that can be stopped at any step and goes on as if it had not been."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from training.starter.lm import batches as data
from training.starter.lm.model import configured, fresh, loss_of
from training.starter.lm.optimizers import Optimizers

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Config:
    """`steps` bounds and schedules a run by its steps; without it `minutes` does: processor time of each thread, so
    that a busy machine takes longer and learns as much."""

    folder: Path
    seed: int = 1
    minutes: float = 75
    steps: int | None = None
    batch_tokens: int = 4096
    learning_rate: float = 2e-3
    warmup: int = 100  # steps
    layers: int = 6
    width: int = 256
    examples: int = data.POOL  # that are sorted together
    every_s: float = 180  # between checkpoints
    bf16: bool = False


@dataclass
class Progress:
    """How far the run has come; `loss` is smoothed. `pool` and `index` say which batch is next."""

    step: int = 0
    elapsed_s: float = 0.0
    tokens: int = 0
    pool: int = 0
    index: int = 0
    loss: float = math.nan
    losses: tuple[tuple[int, float], ...] = ()  # (step, loss) now and then, for the model card

    def part(self, config: Config) -> float:
        """0 at the start, 1 at the end."""
        return self.step / config.steps if config.steps else self.elapsed_s / (config.minutes * 60)


class Run:
    """A model in training. The same seed and steps give the same losses on one machine, resumed or not."""

    def __init__(self, config: Config, tokenizer: PreTrainedTokenizerFast) -> None:
        self.config, self.tokenizer, self.progress = config, tokenizer, Progress()
        self.model: LlamaForCausalLM = fresh(configured(tokenizer, config.layers, config.width), config.seed)
        self.optimizers = Optimizers(self.model, config.learning_rate)
        if (config.folder / CHECKPOINT).exists():
            self._restore()

    def train(self, report: Callable[[Progress], None], stopped: Callable[[], bool]) -> None:
        """Steps until the budget is spent or `stopped`; a checkpoint every few minutes and at the end."""
        config, at, saved = self.config, self.progress, time.monotonic()
        stream = data.batches(self.tokenizer, config.seed, config.batch_tokens, at.pool, at.index, config.examples)
        self.model.train()
        while at.part(config) < 1 and not stopped():
            started = time.process_time()
            self._step(next(stream))
            at.elapsed_s += (time.process_time() - started) / torch.get_num_threads()
            report(at)
            if time.monotonic() - saved > config.every_s:
                self.save()
                saved = time.monotonic()
        self.save()

    def _step(self, batch: data.Batch) -> None:
        self.optimizers.rate(self.config.learning_rate * _scale(self.progress, self.config))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            loss = loss_of(self.model, batch.tokens, batch.weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizers.step()
        self._count(batch, loss.item())

    def _count(self, batch: data.Batch, loss: float) -> None:
        at = self.progress
        at.step, at.tokens = at.step + 1, at.tokens + batch.tokens.numel()
        at.pool, at.index = batch.pool, batch.index + 1
        at.loss = loss if math.isnan(at.loss) else 0.98 * at.loss + 0.02 * loss
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4)))

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
