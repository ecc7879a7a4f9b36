"""Pictures of solids: rays are followed to the surface, which is lit."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from training.avatar.synthetic.solids import at

STEPS, NEAR_ENOUGH, GRAZED, CAREFUL = 48, 2e-3, 0.02, 0.85
OFFSETS = ((1.0, -1.0, -1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, 1.0, 1.0))

Solid = Callable[[Tensor, Tensor], Tensor]  # distances (m,) of points (m, 3) that belong to rows (m,)


class Light(NamedTuple):
    """Where the lamp is, as the camera sees it, and how bright it is."""

    lamp: tuple[float, float, float] = (-0.5, -0.7, -0.9)
    strength: float = 0.85


def trace(origins: Tensor, directions: Tensor, rows: Tensor, solid: Solid, span: tuple[float, float]) -> Tensor:
    """(m,) distance along each ray to the surface within a span, infinite where it is missed."""
    along, alive = torch.full((len(origins),), span[0]), torch.arange(len(origins))
    for _ in range(STEPS):
        gap = solid(origins[alive] + along[alive, None] * directions[alive], rows[alive])
        along[alive] += CAREFUL * gap
        going = (gap > NEAR_ENOUGH) & (along[alive] < span[1])
        alive, gap = alive[going], gap[going]
        if not len(alive):
            break
    along[alive[gap > GRAZED]] = torch.inf
    return torch.where(along < span[1], along, torch.inf)


def normals(points: Tensor, rows: Tensor, solid: Solid, width: float = 0.006) -> Tensor:
    """(m, 3): along which the distance grows."""
    corners = torch.tensor(OFFSETS)
    summed = torch.stack([each * solid(points + width * each, rows)[:, None] for each in corners]).sum(dim=0)
    return summed / summed.norm(dim=1, keepdim=True).clamp(min=1e-9)


def room(light: Light, turn: Tensor) -> Tensor:
    """(4, 3): towards the lamp, down, and towards the fill light, in the room of a head that is turned so; and how
    strong the lamp is."""
    lamp = at(*light.lamp)
    ways = torch.stack([lamp / lamp.norm(), at(0, 1, 0), at(0.7, 0.0, -0.7)]) @ turn
    return torch.cat([ways, torch.full((1, 3), light.strength)])


def lit(colour: Tensor, shine: Tensor, normal: Tensor, view: Tensor, around: Tensor) -> Tensor:
    """(m, 3) within 0–1; `around`: (m, 4, 3), the room of each point."""
    lamp, down, fill, strength = around.unbind(1)
    facing = (normal * lamp).sum(dim=1)
    wrapped = ((facing + 0.35) / 1.35).clamp(min=0)
    warm = torch.stack([wrapped**0.85, wrapped, wrapped**1.1], dim=1)  # light that has been under the skin is redder
    sky = 0.5 - 0.5 * (normal * down).sum(dim=1)
    soft = (normal * fill).sum(dim=1).clamp(min=0)
    half = lamp - view
    half = half / half.norm(dim=1, keepdim=True)
    gloss = (normal * half).sum(dim=1).clamp(min=0) ** 40 * shine
    whole = colour * (strength * warm + (0.16 + 0.16 * sky + 0.16 * soft)[:, None]) + gloss[:, None]
    return (1 - torch.exp(-1.55 * whole)).clamp(0, 1)
