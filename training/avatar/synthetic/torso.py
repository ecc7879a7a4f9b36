"""What is behind a head: neck, shoulders and a room."""

from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]
from torch import Tensor

from training.avatar.synthetic.head import Looks
from training.avatar.synthetic.light import Light, lit, normals, room, trace
from training.avatar.synthetic.solids import at, capsule, ellipsoid, joined, mirrored

if TYPE_CHECKING:
    from training.avatar.synthetic.film import Scene


def background(side: int, seed: int) -> Tensor:
    """(side, side, 3): a wall with soft shapes out of focus."""
    generator = np.random.default_rng(seed + 7)
    y, x = np.mgrid[:side, :side] / side
    wall = np.stack([0.74 - 0.22 * y, 0.77 - 0.20 * y + 0.04 * x, 0.76 - 0.14 * y + 0.08 * x], axis=-1)
    for _ in range(7):
        left, top, wide, high = generator.uniform([0, 0.05, 0.08, 0.1], [0.9, 0.7, 0.22, 0.4])
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + high)
        wall[inside] = 0.55 * wall[inside] + 0.45 * generator.uniform(0.25, 0.8, 3)
    return torch.from_numpy(gaussian_filter(wall, (side / 36, side / 36, 0)).astype(np.float32))


def torso(scene: "Scene") -> Tensor:
    """(side, side, 4): neck and shoulders, and how much of each pixel they cover."""
    side = round(scene.side * scene.fine)
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    focal = scene.focal * side
    flat = torch.stack([(across + 0.5 - side / 2) / focal, (down + 0.5 - side * 0.46) / focal], dim=-1).view(-1, 2)
    view = torch.cat([flat, torch.ones(len(flat), 1)], dim=1)
    view = view / view.norm(dim=1, keepdim=True)
    eye = at(0, 0, -scene.distance)
    along = trace(eye.expand_as(view), view, view[:, 0], _solid, (scene.distance - 1.2, scene.distance + 1.6))
    hit = along.isfinite().nonzero()[:, 0]
    points = eye + along[hit, None] * view[hit]
    normal = normals(points, points[:, 0], _solid)
    colour = _colours(points, scene.looks)
    shade = (0.45 + 0.55 * ((points[:, 1] - 0.55) / 0.5).clamp(0, 1))[:, None]  # the head is above the neck
    around = room(Light(), torch.eye(3)).expand(len(hit), -1, -1)
    picture = torch.zeros(side * side, 4)
    picture[hit, :3] = lit(colour * shade, 0 * points[:, 0], normal, view[hit], around)
    picture[hit, 3] = 1
    return shrunk(picture.view(side, side, 4), scene.side)


def shrunk(picture: Tensor, side: int) -> Tensor:
    """(side, side, k): each pixel the mean of what it covers."""
    return torch.from_numpy(cv2.resize(picture.numpy(), (side, side), interpolation=cv2.INTER_AREA))


def _solid(points: Tensor, _: Tensor) -> Tensor:
    neck = capsule(points, at(0, 0.2, 0.22), at(0, 1.4, 0.26), 0.29)
    return joined(neck, _cloth(points), 0.06)


def _cloth(points: Tensor) -> Tensor:
    sides = mirrored(points)
    chest = ellipsoid(points, at(0, 2.05, 0.32), at(1.25, 0.98, 0.62))
    shoulder = partial(ellipsoid, sides)(at(0.80, 1.66, 0.34), at(0.52, 0.40, 0.42))
    return joined(chest, shoulder, 0.25)


def _colours(points: Tensor, looks: Looks) -> Tensor:
    x, y, _ = points.unbind(1)
    open_collar = (x.abs() < 0.30 - 0.42 * (y - 1.02)) & (y < 1.62)
    on_cloth = (_cloth(points) < 0.035) & ~open_collar
    weave = 1 + 0.05 * torch.sin(x * 40) * torch.sin(y * 40)
    cloth, skin = at(*looks.shirt) * weave[:, None], at(*looks.skin).expand_as(points)
    return torch.where(on_cloth[:, None], cloth, skin)
