"""What a step shall make small."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, l1_loss, mse_loss

from deployments.avatar.drawing import Drawn
from training.avatar.choosing import Truth
from training.avatar.config import AvatarConfig
from training.avatar.likeness import LEAST, Lpips

SCALES = 3  # at which neighbouring pixels are compared, each half as fine as the one before


def loss_of(
    drawn: Drawn, truth: Truth, config: AvatarConfig, patch: int, progress: float, lpips: Lpips | None = None
) -> Tensor:
    """A number. `progress` 0–1: what sound and expression do in the wrong place costs ever more, as in ER-NeRF §3.3."""
    seen = drawn.looked.colour + (1 - drawn.looked.weight)[:, None] * truth.behind
    plain = mse_loss if config.pixel_loss == "mse" else l1_loss
    loss = plain(seen, truth.colour)
    if patch:
        squares = _squares(seen, patch), _squares(truth.colour, patch)
        learnt = lpips if patch >= LEAST else None
        loss = loss + (config.lpips * learnt(*squares) if learnt else config.edges * _edges(*squares))
    weight = drawn.looked.weight.clamp(1e-5, 1 - 1e-5)
    doubt = -(weight * weight.log() + (1 - weight) * (1 - weight).log()).mean()
    ray = drawn.samples.ray
    reach = drawn.seen.sound * truth.priced[ray] + drawn.seen.expression * truth.spoken[ray]
    astray = reach.sum() / max(1, len(ray))
    return loss + config.clear * doubt + config.quiet * progress * astray


def psnr(seen: Tensor, truth: Tensor) -> float:
    """dB, of colours within 0–1."""
    return -10 * float(mse_loss(seen, truth).clamp(min=1e-10).log10())


def _squares(colours: Tensor, patch: int) -> Tensor:
    """(squares, 3, patch, patch)"""
    return colours.view(-1, patch, patch, 3).permute(0, 3, 1, 2)


def _edges(seen: Tensor, truth: Tensor) -> Tensor:
    """How far colours and their differences to the neighbours are off, at several scales: where no learnt measure
    of likeness is at hand."""
    total = seen.new_zeros(())
    for _ in range(SCALES):
        off = seen - truth
        total = total + off.abs().mean() + torch.diff(off, dim=2).abs().mean() + torch.diff(off, dim=3).abs().mean()
        seen, truth = avg_pool2d(seen, 2), avg_pool2d(truth, 2)
    return total / SCALES
