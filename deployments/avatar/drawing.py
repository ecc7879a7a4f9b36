"""Rays through a head: the one way in which it is seen, in training and on a stage."""

from typing import NamedTuple

from torch import Tensor

from deployments.avatar.field import Frames, HeadField, Seen
from deployments.avatar.march import Looked, Rays, Samples, composite, march


class Drawn(NamedTuple):
    looked: Looked
    seen: Seen
    samples: Samples


def draw(field: HeadField, rays: Rays, frames: Frames, jitter: bool = False) -> Drawn:
    samples = march(rays, field.occupied, field.shape.candidates, field.shape.samples, jitter)
    seen = field(samples.points, rays.directions[samples.ray], frames, rays.frame[samples.ray])
    return Drawn(composite(seen.density, seen.colour, samples, len(rays.frame)), seen, samples)


def over(looked: Looked, behind: Tensor) -> Tensor:
    """(r, 3) colours within 0–1, before what is behind (r, 3)."""
    return (looked.colour + (1 - looked.weight)[:, None] * behind).clamp(0, 1)
