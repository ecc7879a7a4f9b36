"""Along rays: which places are worth computing, and what is seen of them (volume rendering, arXiv:2003.08934, §4)."""

from typing import NamedTuple

import torch
from torch import Tensor

NEAR = 0.05
TINY = 1e-6


class Rays(NamedTuple):
    origins: Tensor  # (r, 3), in the box's coordinates
    directions: Tensor  # (r, 3), of unit length
    frame: Tensor  # (r,) row of each ray's frame


class Samples(NamedTuple):
    """Places on rays, ray by ray, the nearest first."""

    points: Tensor  # (m, 3)
    ray: Tensor  # (m,)
    slot: Tensor  # (m,) number on its ray
    step: Tensor  # (m,) length that it stands for


class Looked(NamedTuple):
    colour: Tensor  # (r, 3), what is behind left out
    weight: Tensor  # (r,) of what is seen; the rest shows what is behind
    weights: Tensor  # (m,) of each sample


def rays_of(poses: Tensor, camera: Tensor, pixels: Tensor) -> Rays:
    """`poses`: (n, 3, 4) from the head to the camera (x right, y down, z away); `camera`: focal length and principal
    point in pixels; `pixels`: (n, k, 2) as x, y, whose centres are at halves. n x k rays, frame by frame."""
    focal, centre = camera[0], camera[1:]
    flat = (pixels + 0.5 - centre) / focal  # (n, k, 2)
    seen = torch.cat([flat, torch.ones_like(flat[..., :1])], dim=-1)
    turn, shift = poses[..., :3], poses[..., 3]
    directions = torch.einsum("nki,nij->nkj", seen, turn)  # the transposed turn
    origins = -torch.einsum("ni,nij->nj", shift, turn)[:, None].expand_as(directions)
    frame = torch.arange(len(poses), device=poses.device)[:, None].expand(pixels.shape[:2])
    unit = directions / directions.norm(dim=-1, keepdim=True)
    return Rays(origins.flatten(0, 1), unit.flatten(0, 1), frame.flatten())


def march(
    rays: Rays, occupied: Tensor, candidates: int, most: int, jitter: bool = False, spread: bool = False
) -> Samples:
    """Places in occupied cells of the box ±1, at most `most` a ray, the nearest; `jitter`: somewhere in their steps;
    `spread`: evenly over all that are occupied, each of which stands for those that are left out."""
    near, far = _inside(rays)
    step = ((far - near) / candidates).clamp(min=0)  # (r,)
    offset = torch.rand(len(near), 1, device=near.device) if jitter else near.new_full((1, 1), 0.5)
    numbers = torch.arange(candidates, device=near.device) + offset
    along = near[:, None] + numbers * step[:, None]  # (r, candidates)
    points = rays.origins[:, None] + along[..., None] * rays.directions[:, None]
    side = occupied.shape[0]
    x, y, z = ((points + 1) * (side / 2)).long().clamp(0, side - 1).unbind(-1)
    wanted = occupied.flatten()[(x * side + y) * side + z] & (step > 0)[:, None]
    order = wanted.cumsum(dim=1)
    if spread:
        apart = (order[:, -1:] / most).ceil().clamp(min=1).long()  # (r, 1)
        wanted = wanted & ((order - 1) % apart == torch.randint_like(apart, 1 << 16) % apart)
        order, step = wanted.cumsum(dim=1), step * apart[:, 0]
    ray, place = (wanted & (order <= most)).nonzero(as_tuple=True)
    return Samples(points[ray, place], ray, order[ray, place] - 1, step[ray])


def composite(density: Tensor, colour: Tensor, samples: Samples, rays: int) -> Looked:
    """What the eye sees of samples that have these densities (m,) and colours (m, 3)."""
    optical = density * samples.step
    most = int(samples.slot.max()) + 1 if len(samples.slot) else 1
    laid = optical.new_zeros(rays, most).index_put((samples.ray, samples.slot), optical)
    passed = torch.exp(-(laid.cumsum(dim=1) - laid))[samples.ray, samples.slot]
    weights = passed * (1 - torch.exp(-optical))
    seen = colour.new_zeros(rays, 3).index_add(0, samples.ray, weights[:, None] * colour)
    return Looked(seen, weights.new_zeros(rays).index_add(0, samples.ray, weights), weights)


def _inside(rays: Rays) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave the box ±1; `far` is below `near` where one misses it."""
    slope = torch.where(rays.directions.abs() < TINY, TINY, rays.directions)
    walls = torch.stack([(-1 - rays.origins) / slope, (1 - rays.origins) / slope])
    near = walls.amin(dim=0).amax(dim=1).clamp(min=NEAR)
    return near, walls.amax(dim=0).amin(dim=1)
