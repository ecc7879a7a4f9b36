"""The recogniser in training, phase by phase."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor
from transformers import WhisperTokenizer

from training.starter import trainer
from training.starter.asr import phases
from training.starter.asr.batches import Batch, Batches, loaded
from training.starter.asr.model import configured, fresh, losses_of
from training.starter.trainer import Trainer, smoothed


@dataclass(frozen=True)
class Config(trainer.Config):
    minutes: float = 150
    layers: tuple[int, int] = (4, 2)
    width: int = 192
    beside: bool = True  # batches are made by another process


@dataclass
class Progress(trainer.Progress):
    """`phase` says which batch is next too; `loss` is a token's."""

    phase: int = 0
    windows: int = 0
    sound_s: float = 0.0
    named: float = math.nan  # loss of a phoneme
    losses: tuple[tuple[int, float, float], ...] = ()  # (step, loss, named) now and then, for the model card


class Run(Trainer[Config, Progress, Batch]):
    def __init__(self, config: Config, tokenizer: WhisperTokenizer, names: list[str]) -> None:
        self.tokenizer, self.names = tokenizer, names
        self.model = fresh(configured(tokenizer, config.layers, config.width), len(names), config.seed)
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[Batch]:
        at, config = self.progress, self.config
        return loaded(Batches(self.tokenizer, self.names, config.seed, at.phase, (at.pool, at.index)), config.beside)

    def outdated(self) -> bool:
        """A new phase begins with a pool of its own."""
        at = self.progress
        now = phases.at(at.part(self.config))
        if now == at.phase:
            return False
        at.phase, at.pool, at.index = now, at.pool + 1, 0
        return True

    def loss(self, batch: Batch) -> Tensor:
        at, share = self.progress, phases.PHASES[self.progress.phase].ctc
        told, named = losses_of(self.model, batch)
        at.loss, at.named = smoothed(at.loss, told.item()), smoothed(at.named, named.item())
        return (1 - share) * told + share * named

    def count(self, batch: Batch) -> None:
        at = self.progress
        at.windows, at.sound_s = at.windows + len(batch.tokens), at.sound_s + batch.frames.sum().item() / 100
        at.pool, at.index = batch.pool, batch.index + 1
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4), round(at.named, 4)))
