"""The diffusion model in training, on latents that are made beforehand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from training.starter import trainer
from training.starter.diffusion import autoencoder
from training.starter.diffusion.captions import NAMES, captions
from training.starter.diffusion.latents import scale
from training.starter.diffusion.model import TIMES, Batch, Painting
from training.starter.trainer import Trainer, smoothed

EMPTY = 0.1  # share of pictures whose caption is left out, for guidance
NAMED = 0.02  # weight of what the text encoder's head tells


@dataclass(frozen=True)
class Config(trainer.Config):
    minutes: float = 40
    learning_rate: float = 1.5e-3
    widths: tuple[int, int] = (64, 128)
    batch: int = 32
    pictures: int = 5000


@dataclass
class Progress(trainer.Progress):
    """`loss` is the velocity's mean squared error."""

    pictures: int = 0
    named: float = math.nan
    losses: tuple[tuple[int, float, float], ...] = ()  # (step, loss, named) now and then, for the model card


class Run(Trainer[Config, Progress, Batch]):
    KERNELS = True

    def __init__(self, config: Config, tokenizer: CLIPTokenizer, coding: autoencoder.Run, latents: Tensor) -> None:
        """`coding`: the autoencoder, trained. `latents`: (pictures, channels, 16, 16), of the seed's first captions."""
        self.tokenizer, self.coding, self.scale = tokenizer, coding, scale(latents)
        self.latents = latents * self.scale
        torch.manual_seed(config.seed)
        self.model = Painting(tokenizer, latents.shape[1], config.widths)
        self.tokens, self.names = _read(tokenizer, config.seed, len(latents))
        self.empty = tokens(tokenizer, [""])[0]
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[Batch]:
        """Every second picture is mirrored; a tenth has no caption."""
        size = self.config.batch
        for number in count(self.progress.index):
            rng = np.random.default_rng([self.config.seed, number])
            chosen = torch.from_numpy(rng.integers(0, len(self.latents), size))
            mirrored, empty = (torch.from_numpy(rng.random(size) < share) for share in (0.5, EMPTY))
            latents = self.latents[chosen].float()
            latents[mirrored] = latents[mirrored].flip(3)
            said, names = self.tokens[chosen], self.names[chosen]
            said[empty], names[empty] = self.empty, 0
            noise = torch.from_numpy(rng.standard_normal(latents.shape, np.float32))
            yield Batch(latents, noise, torch.from_numpy(rng.integers(0, TIMES, size)), said, names)

    def loss(self, batch: Batch) -> Tensor:
        drawn, named = self.model.losses(batch)
        at = self.progress
        at.loss, at.named = smoothed(at.loss, drawn.item()), smoothed(at.named, named.item())
        return drawn + NAMED * named

    def count(self, batch: Batch) -> None:
        self.model.average.update_parameters(self.model.networks)
        at = self.progress
        at.pictures, at.index = at.pictures + len(batch.latents), at.index + 1
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4), round(at.named, 4)))


def _read(tokenizer: CLIPTokenizer, seed: int, number: int) -> tuple[Tensor, Tensor]:
    """Tokens and names of the first captions of a seed."""
    said = list(islice(captions(seed), number))
    named = torch.zeros(number, len(NAMES))
    for row, caption in zip(named, said, strict=True):
        row[[NAMES.index(name) for name in caption.names]] = 1
    return tokens(tokenizer, [caption.text for caption in said]), named


def tokens(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """(texts, 40): padded and cut as Stable Diffusion's pipeline does it."""
    read = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    assert isinstance(read, Tensor)
    return read
