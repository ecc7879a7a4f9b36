"""The head: density and colour of a point, for a frame's sound and expression (ER-NeRF, arXiv:2307.09323)."""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from deployments.avatar.audio_net import AudioNet
from deployments.avatar.harmonics import harmonics
from deployments.avatar.planes import planes_of, width_of
from deployments.avatar.shape import FieldShape

STRONGEST = 15.0  # exponent of the density
GUARD = 0.001  # a colour may be a little beyond black and white, so that it can reach them


class Frames(NamedTuple):
    """What frames are drawn from, one row a frame: codes of their sound, expression, and what is their own."""

    sound: Tensor  # (n, audio)
    expression: Tensor  # (n, expression)
    code: Tensor  # (n, code)


class Seen(NamedTuple):
    """Of points: density, colour, and how much sound and expression reach each."""

    density: Tensor  # (m,)
    colour: Tensor  # (m, 3)
    sound: Tensor  # (m,) norm of what a place lets through
    expression: Tensor  # (m,)


class HeadField(nn.Module):
    """`code`: what was its frames' own in training, in the mean; a frame that was never seen has that.

    `occupied`: (grid, grid, grid) cells of the box ±1 in which there is something, x first.
    """

    code: Tensor
    occupied: Tensor

    def __init__(self, shape: FieldShape) -> None:
        super().__init__()
        self.shape = shape
        width, hidden = width_of(shape), shape.hidden
        self.planes, self.audio = planes_of(shape), AudioNet(shape)
        self.hearing = mlp(width, hidden, shape.audio)
        self.feeling = mlp(width, max(8, hidden // 4), shape.expression) if shape.expression else None
        self.solid = mlp(width + shape.audio + shape.expression, hidden, hidden, 1 + shape.geometry)
        self.paint = mlp(shape.view_degree**2 + shape.geometry + shape.code, hidden, 3)
        self.register_buffer("code", torch.zeros(shape.code))
        self.register_buffer("occupied", torch.ones((shape.grid,) * 3, dtype=torch.bool))

    def frames(self, windows: Tensor, expression: Tensor, code: Tensor | None = None) -> Frames:
        """`windows`: (n, SPAN, width, size) of the ear; `expression`: (n, channels)."""
        own = self.code.expand(len(windows), -1) if code is None else code
        return Frames(self.audio(windows), expression, own)

    def forward(self, points: Tensor, directions: Tensor, frames: Frames, frame: Tensor) -> Seen:
        """`points`, `directions`: (m, 3), of unit length; `frame`: (m,) row of each point's frame."""
        features = self.planes(points)
        heard = self.hearing(features)
        parts = [features, heard * frames.sound[frame]]
        felt = features.new_zeros(len(points), 1)
        if self.feeling is not None:
            felt = self.feeling(features)
            felt = felt.sigmoid() if self.shape.gate == "sigmoid" else felt
            parts.append(felt * frames.expression[frame])
        solid = self.solid(torch.cat(parts, dim=1))
        density = solid[:, 0].clamp(max=STRONGEST).exp()
        look = torch.cat([harmonics(directions, self.shape.view_degree), solid[:, 1:], frames.code[frame]], dim=1)
        colour = self.paint(look).sigmoid() * (1 + 2 * GUARD) - GUARD
        return Seen(density, colour, heard.norm(dim=1), felt.norm(dim=1))


def mlp(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after, bias=False), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
