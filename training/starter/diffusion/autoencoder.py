"""The autoencoder: TAESD's network (diffusers' `AutoencoderTiny`) at one sixteenth of a picture's side, trained alone.

Few channels and no block at full size, because that is where the time goes. It learns on crops. Its latents are held
near mean 0 and deviation 1 in each channel, and are disturbed before they are decoded: diffusion makes small errors.
A mirrored picture has mirrored latents, nearly (Kouzelis et al. 2025, arXiv 2502.09509): so both serve to learn from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn.functional import l1_loss

from training.starter import trainer
from training.starter.diffusion.pictures import SIDE, kept
from training.starter.trainer import Trainer, smoothed

FACTOR = 16  # sides of a picture and of its latents
CROPS = (64, 64, 64, 128)  # pixels a side, in turn: small ones are quick, large ones show what is around
NOISE = 0.1  # deviation of what disturbs the latents
EVEN, EDGES = 0.02, 1.0  # weights in the loss


class Batch(NamedTuple):
    crops: Tensor  # (batch, 3, side, side), -1 to 1
    noise: Tensor  # (batch, channels, side / 16, side / 16), of deviation 1


@dataclass(frozen=True)
class Config(trainer.Config):
    minutes: float = 30
    width: int = 32
    latents: int = 8  # channels
    batch: int = 16  # small crops, or as many pixels of large ones


@dataclass
class Progress(trainer.Progress):
    losses: tuple[tuple[int, float], ...] = ()  # (step, mean error of a pixel, 0 to 1) now and then


class Run(Trainer[Config, Progress, Batch]):
    """Learns on the pictures that the folder's parent has."""

    KERNELS = True

    def __init__(self, config: Config) -> None:
        self.model = fresh(config.width, config.latents, config.seed)
        self.pictures = kept(config.folder.parent)["pixels"]
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[Batch]:
        for number in count(self.progress.index):
            rng, side = np.random.default_rng([self.config.seed, number]), CROPS[number % len(CROPS)]
            size = max(1, self.config.batch * CROPS[0] ** 2 // side**2)
            corners = rng.integers(0, SIDE - side + 1, (size, 2))
            places = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
            chosen = rng.integers(0, len(self.pictures), size)
            crops = [self.pictures[one][place] for one, place in zip(chosen, places, strict=True)]
            noise = rng.standard_normal((size, self.config.latents, side // FACTOR, side // FACTOR), np.float32)
            yield Batch(signed(np.stack(crops)), torch.from_numpy(noise))

    def loss(self, batch: Batch) -> Tensor:
        crops, latents = batch.crops, self.model.encoder(batch.crops)
        if self.progress.index // len(CROPS) % 2:
            latents, crops = latents.flip(3), crops.flip(3)
        made = self.model.decoder(latents + NOISE * batch.noise).float()
        error = l1_loss(made, crops)
        self.progress.loss = smoothed(self.progress.loss, error.item() / 2)
        return error + EDGES * _edges(made, crops) + EVEN * _uneven(latents.float())

    def count(self, batch: Batch) -> None:
        at = self.progress
        at.index += 1
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4)))


def fresh(width: int, latents: int, seed: int) -> Any:
    """An untrained `AutoencoderTiny`; the same seed gives the same weights."""
    torch.manual_seed(seed)
    return AutoencoderTiny(
        encoder_block_out_channels=(width,) * 5,
        decoder_block_out_channels=(width,) * 5,
        num_encoder_blocks=(0, 0, 1, 3, 4),
        num_decoder_blocks=(4, 4, 2, 1, 0),
        latent_channels=latents,
    )


def signed(pixels: np.ndarray) -> Tensor:
    """(pictures, height, width, 3) of bytes as (pictures, 3, height, width), -1 to 1."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _edges(made: Tensor, true: Tensor) -> Tensor:
    """How wrong the differences between neighbours are: without it thin lines are blurred away."""
    return sum((l1_loss(made.diff(dim=side), true.diff(dim=side)) for side in (2, 3)), made.new_zeros(()))


def _uneven(latents: Tensor) -> Tensor:
    """Divergence of each channel's mean and deviation from 0 and 1."""
    variance, mean = torch.var_mean(latents, dim=(0, 2, 3))
    return (mean.square() + variance - 1 - variance.clamp(min=1e-6).log()).mean() / 2
