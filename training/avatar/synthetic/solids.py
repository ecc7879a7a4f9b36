"""Distances to solids and how these are joined (I. Quilez, "Distance functions", iquilezles.org/articles)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def ellipsoid(points: Tensor, centre: Tensor, radii: Tensor) -> Tensor:
    """(m,) of (m, 3): exact at the surface, about right elsewhere."""
    away = (points - centre) / radii
    scaled = away.norm(dim=1)
    return scaled * (scaled - 1) / (away / radii).norm(dim=1).clamp(min=1e-6)


def capsule(points: Tensor, start: Tensor, end: Tensor, radius: float) -> Tensor:
    axis = end - start
    along = ((points - start) @ axis / (axis @ axis)).clamp(0, 1)
    return (points - start - along[:, None] * axis).norm(dim=1) - radius


def joined(first: Tensor, second: Tensor, soft: float) -> Tensor:
    """What is in either, rounded where they meet."""
    share = (0.5 + 0.5 * (second - first) / soft).clamp(0, 1)
    return second + (first - second) * share - soft * share * (1 - share)


def carved(solid: Tensor, tool: Tensor, soft: float) -> Tensor:
    """What is in the first and not in the second."""
    return -joined(-solid, tool, soft)


def at(*numbers: float | Tensor) -> Tensor:
    """A place: (k,), or (m, k) where a number is (m,)."""
    loose = [each for each in numbers if isinstance(each, Tensor)]
    if not loose:
        return torch.tensor(numbers, dtype=torch.float32)
    return torch.stack(torch.broadcast_tensors(*(torch.as_tensor(each, dtype=torch.float32) for each in numbers)), -1)


def mirrored(points: Tensor) -> Tensor:
    """Both sides as the right one."""
    return torch.cat([points[:, :1].abs(), points[:, 1:]], dim=1)


def nearest(distances: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(distances)).amin(dim=0)
