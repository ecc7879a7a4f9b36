"""Rays through a head: the one way in which it is seen, in training and on a stage."""

from typing import NamedTuple

import torch
from torch import Tensor

from deployments.avatar.field import Frames, HeadField, Seen
from deployments.avatar.march import Looked, Rays, Samples, composite, march

CHUNK_RAYS = 1 << 15  # computed at once on a CPU: what its caches hold
CHUNK_RAYS_GPU = 1 << 19


class Drawn(NamedTuple):
    looked: Looked
    seen: Seen
    samples: Samples


def draw(field: HeadField, rays: Rays, frames: Frames, jitter: bool = False, spread: bool = False) -> Drawn:
    samples = march(rays, field.occupied, field.shape.candidates, field.shape.samples, jitter, spread)
    seen = field(samples.points, rays.directions[samples.ray], frames, rays.frame[samples.ray])
    return Drawn(composite(seen.density, seen.colour, samples, len(rays.frame)), seen, samples)


def shown(field: HeadField, rays: Rays, frames: Frames, behind: Tensor) -> Tensor:
    """(r, 3) bytes before what is behind (r, 3), as bytes; so many rays at once as a device likes."""
    most = CHUNK_RAYS if behind.device.type == "cpu" else CHUNK_RAYS_GPU
    parts = []
    for first in range(0, len(rays.frame), most):
        part = type(rays)(*(each[first : first + most] for each in rays))
        parts.append(over(draw(field, part, frames).looked, behind[first : first + most].float() / 255))
    return (torch.cat(parts) * 255).round().byte()


def over(looked: Looked, behind: Tensor) -> Tensor:
    """(r, 3) colours within 0–1, before what is behind (r, 3)."""
    return (looked.colour + (1 - looked.weight)[:, None] * behind).clamp(0, 1)
