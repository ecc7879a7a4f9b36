"""Which cells of a head's box hold something: what marching skips (instant-ngp, arXiv:2201.05989, appendix C)."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool3d

from deployments.avatar.field import Frames, HeadField

DECAY, SOLID = 0.95, 10.0
CHUNK = 1 << 18
HEAD = (0.85, 1.08, 0.85)  # half axes of what a head with its hair is within


class Occupancy:
    """`densities`: (grid, grid, grid), the highest of late. Nothing is outside `within`: a picture that is painted on
    the front of the box would hide what is behind it for good."""

    def __init__(self, field: HeadField) -> None:
        self.field = field
        self.densities = torch.zeros_like(field.occupied, dtype=torch.float32)
        axis = (torch.arange(field.shape.grid, device=field.occupied.device) + 0.5) / field.shape.grid * 2 - 1
        places = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.within: Tensor = torch.stack([(at / half) ** 2 for at, half in zip(places, HEAD, strict=True)]).sum(0) < 1
        field.occupied.copy_(self.within)

    @torch.no_grad()
    def refresh(self, frames: Frames) -> None:
        """Look into every cell at a random place, with the sound and the expression of one frame."""
        side = self.field.shape.grid
        device = self.densities.device
        cells = torch.stack(torch.meshgrid(*[torch.arange(side, device=device)] * 3, indexing="ij"), dim=-1).view(-1, 3)
        seen = torch.cat([self._seen(part, frames) for part in cells.split(CHUNK)])
        self.densities = torch.maximum(self.densities * DECAY, seen.view(side, side, side))
        wanted = (self.densities > self.densities.mean().clamp(max=SOLID)).float()
        self.field.occupied.copy_(max_pool3d(wanted[None], 3, stride=1, padding=1)[0].bool() & self.within)

    def _seen(self, cells: Tensor, frames: Frames) -> Tensor:
        points = (cells + torch.rand_like(cells, dtype=torch.float32)) * (2 / self.field.shape.grid) - 1
        nowhere = torch.zeros_like(points)
        nowhere[:, 2] = 1
        return self.field(points, nowhere, frames, cells.new_zeros(len(cells))).density
