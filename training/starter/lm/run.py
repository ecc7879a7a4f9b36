"""The language model in training."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from training.starter import trainer
from training.starter.lm import batches as data
from training.starter.lm.model import configured, fresh, loss_of
from training.starter.trainer import Trainer, smoothed


@dataclass(frozen=True)
class Config(trainer.Config):
    batch_tokens: int = 4096
    layers: int = 6
    width: int = 256
    examples: int = data.POOL  # that are sorted together
    start: Path | None = None  # a model as `export` writes it, whose weights are the first ones


@dataclass
class Progress(trainer.Progress):
    tokens: int = 0
    losses: tuple[tuple[int, float], ...] = ()  # (step, loss) now and then, for the model card


class Run(Trainer[Config, Progress, data.Batch]):
    SHARED = True

    def __init__(self, config: Config, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.model: LlamaForCausalLM = fresh(configured(tokenizer, config.layers, config.width), config.seed)
        if config.start:
            shipped = LlamaForCausalLM.from_pretrained(config.start, dtype=torch.float32)
            self.model.load_state_dict(shipped.state_dict())
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[data.Batch]:
        at, config = self.progress, self.config
        return data.batches(self.tokenizer, config.seed, config.batch_tokens, at.pool, at.index, config.examples)

    def loss(self, batch: data.Batch) -> Tensor:
        loss = loss_of(self.model, batch.tokens, batch.weights)
        self.progress.loss = smoothed(self.progress.loss, loss.item())
        return loss

    def backward(self, batch: data.Batch, loss: Tensor) -> None:
        """Tokens that are not in the batch stay where they are. Otherwise the softmax pushes all rare ones the same
        way at every step, until they are alike and cannot be copied (a cosine of 0.5 after 2,600 steps)."""
        super().backward(batch, loss)
        gradient = self.model.model.embed_tokens.weight.grad
        assert gradient is not None
        absent = torch.ones(len(gradient), dtype=torch.bool)
        absent[batch.tokens.unique()] = False
        gradient[absent] = 0

    def count(self, batch: data.Batch) -> None:
        at = self.progress
        at.tokens += batch.tokens.numel()
        at.pool, at.index = batch.pool, batch.index + 1
        if at.step % 50 == 0 and dict(at.losses).get(at.step) is None:  # once, of several processes' batches
            at.losses = (*at.losses, (at.step, round(at.loss, 4)))
