"""A head: its solids for an opening of the mouth, and the colours of its surfaces.

Its box is ±1: x to the picture's right, y down, and it looks along -z.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from training.avatar.synthetic.solids import at, capsule, carved, ellipsoid, joined, mirrored, nearest

EYE = (0.215, -0.06, -0.445)
EYE_RADIUS = 0.125
MOUTH_Y, SMILE = 0.42, 1.1  # how far the corners of the mouth are up, by the square of x
REACH = 1.12  # from its middle, beyond which nothing of it is
PARTS = ("skin", "hair", "lips", "mouth", "teeth", "tongue", "eye")


class Face(NamedTuple):
    """What moves in a face, for each of (m,) points, or for all of them."""

    opening: Tensor  # of the mouth, 0–1
    width: Tensor  # of the mouth, about 1
    blink: Tensor  # closing of the eyelids, 0–1
    brows: Tensor  # 0–1

    def of(self, rows: Tensor) -> "Face":
        return Face(*(each[rows] for each in self))


class Build(NamedTuple):
    """How wide, tall and deep a head is beside the one that is drawn here, and by how much wider its jaw."""

    wide: float = 1.0
    tall: float = 1.0
    deep: float = 1.0
    jaw: float = 0.0

    def own(self, points: Tensor) -> Tensor:
        """Where points (m, 3) of this head are in the one that is drawn here."""
        x, y, z = points.unbind(1)
        y = y / self.tall
        return torch.stack([x / (self.wide * (1 + self.jaw * y)), y, z / self.deep], dim=1)

    @property
    def least(self) -> float:
        """Distances shrink by no more than that."""
        return min(self.wide * (1 - abs(self.jaw)), self.tall, self.deep)

    @property
    def reach(self) -> float:
        return REACH * max(self.wide * (1 + abs(self.jaw)), self.tall, self.deep)


class Looks(NamedTuple):
    """Colours are RGB within 0–1."""

    skin: tuple[float, float, float] = (0.86, 0.64, 0.53)
    hair: tuple[float, float, float] = (0.16, 0.10, 0.07)
    iris: tuple[float, float, float] = (0.30, 0.20, 0.12)
    lips: tuple[float, float, float] = (0.72, 0.33, 0.32)
    shirt: tuple[float, float, float] = (0.22, 0.34, 0.52)
    long_hair: bool = False
    build: Build = Build()


def distances(points: Tensor, face: Face, looks: Looks) -> list[Tensor]:
    """(m,) of each of PARTS, of (m, 3)."""
    sides = mirrored(points)
    bent = torch.stack([points[:, 0], points[:, 1] + SMILE * points[:, 0] ** 2, points[:, 2]], dim=1)
    mouth = ellipsoid(
        bent,
        at(0, MOUTH_Y + 0.075 * face.opening, -0.56),
        at(0.155 * face.width, 0.010 + 0.100 * face.opening, 0.24),
    )
    skin = carved(_skin(points, sides, face), mouth, 0.02)
    lips = carved(_lips(bent, face), mouth, 0.012)
    inner = ellipsoid(points, at(0, MOUTH_Y + 0.05, -0.24), at(0.22, 0.17, 0.14))
    teeth = ellipsoid(bent, at(0, MOUTH_Y - 0.045, -0.42), at(0.14, 0.062, 0.10))
    tongue = ellipsoid(points, at(0, MOUTH_Y + 0.06 + 0.11 * face.opening, -0.38), at(0.12, 0.05, 0.12))
    eye = (sides - at(*EYE)).norm(dim=1) - EYE_RADIUS
    return [skin, _hair(points, sides, looks), lips, inner, teeth, tongue, eye]


def _skin(points: Tensor, sides: Tensor, face: Face) -> Tensor:
    drop = 0.09 * face.opening
    skull = ellipsoid(points, at(0, -0.17, 0.06), at(0.56, 0.66, 0.64))
    jaw = ellipsoid(points, at(0, 0.30 + drop, -0.10), at(0.43, 0.42, 0.44))
    solid = joined(skull, jaw, 0.16)
    chin = ellipsoid(points, at(0, 0.66 + drop, -0.36), at(0.17, 0.11, 0.14))
    solid = joined(solid, chin, 0.12)
    solid = joined(solid, ellipsoid(sides, at(0.27, 0.16, -0.36), at(0.19, 0.17, 0.17)), 0.14)
    solid = joined(solid, ellipsoid(sides, at(0.20, -0.24, -0.51), at(0.20, 0.05, 0.07)), 0.10)
    solid = carved(solid, ellipsoid(sides, at(*EYE[:2], -0.62), at(0.17, 0.10, 0.10)), 0.09)
    solid = joined(solid, capsule(points, at(0, -0.10, -0.54), at(0, 0.13, -0.66), 0.050), 0.07)
    solid = joined(solid, ellipsoid(points, at(0, 0.155, -0.66), at(0.085, 0.075, 0.085)), 0.05)
    solid = joined(solid, ellipsoid(sides, at(0.085, 0.185, -0.585), at(0.055, 0.045, 0.06)), 0.035)
    solid = joined(solid, ellipsoid(sides, at(0.57, 0.03, 0.08), at(0.07, 0.17, 0.11)), 0.04)
    return joined(solid, ellipsoid(points, at(0, MOUTH_Y + 0.5 * drop, -0.44), at(0.24, 0.17, 0.10)), 0.08)


def _lips(points: Tensor, face: Face) -> Tensor:
    wide = 0.18 * face.width
    bow = ellipsoid(mirrored(points), at(0.05, MOUTH_Y - 0.026, -0.525), at(0.76 * wide, 0.034, 0.055))
    low = ellipsoid(points, at(0, MOUTH_Y + 0.036 + 0.155 * face.opening, -0.51), at(0.88 * wide, 0.044, 0.060))
    ring = ellipsoid(
        points,
        at(0, MOUTH_Y + 0.006 + 0.078 * face.opening, -0.49),
        at(0.155 * face.width + 0.026, 0.042 + 0.112 * face.opening, 0.075),
    )
    return joined(joined(bow, low, 0.02), ring, 0.02)


def _hair(points: Tensor, sides: Tensor, looks: Looks) -> Tensor:
    cap = ellipsoid(points, at(0, -0.24, 0.12), at(0.645, 0.70, 0.70))
    brow = ellipsoid(points, at(0.0, 0.16, -0.66), at(0.53, 0.68, 0.62))
    below = points[:, 1] - 0.22 - 0.55 * (points[:, 2] - 0.2).clamp(min=-0.5)
    hair = carved(torch.maximum(cap, below), brow, 0.05)
    fringe = ellipsoid(points - at(0.10, 0, 0), at(0, -0.60, -0.36), at(0.44, 0.20, 0.26))
    hair = joined(hair, fringe, 0.08)
    if looks.long_hair:
        lock = ellipsoid(sides, at(0.56, 0.32, 0.20), at(0.15, 0.66, 0.30))
        hair = joined(hair, torch.maximum(lock, points.abs().amax(dim=1) - 0.98), 0.1)
    return hair + 0.004 * torch.sin(points[:, 0] * 46 + 5 * torch.sin(points[:, 1] * 6 + points[:, 2] * 4))


def solid(points: Tensor, face: Face, looks: Looks) -> Tensor:
    """(m,) distance to the nearest part."""
    return nearest(distances(looks.build.own(points), face, looks)) * looks.build.least


def painted(points: Tensor, face: Face, looks: Looks) -> tuple[Tensor, Tensor]:
    """Of points on the surface: colour (m, 3), and how much it shines (m,)."""
    points = looks.build.own(points)
    part = torch.stack(distances(points, face, looks)).argmin(dim=0)
    sides = mirrored(points)
    skin, eye = _skin_colour(points, sides, face, looks), _eye_colour(points, sides, face, looks)
    streak = 0.5 + 0.5 * torch.sin(points[:, 0] * 60 + 9 * torch.sin(points[:, 1] * 5 + points[:, 2] * 7))
    hair = at(*looks.hair) * (0.8 + 0.5 * streak[:, None])
    dark = at(0.16, 0.04, 0.05).expand_as(points)
    gap = 0.94 - 0.12 * (torch.cos(points[:, 0] * 140) > 0.96)
    teeth = at(0.93, 0.91, 0.86) * gap[:, None]
    tongue, lips = at(0.66, 0.28, 0.28).expand_as(points), at(*looks.lips).expand_as(points)
    table = torch.stack([skin, hair, lips, dark, teeth, tongue, eye])
    colour = table[part, torch.arange(len(points))]
    return colour, at(0.10, 0.22, 0.30, 0.0, 0.35, 0.2, 0.9)[part]


def _skin_colour(points: Tensor, sides: Tensor, face: Face, looks: Looks) -> Tensor:
    x, y, z = sides.unbind(1)
    grain = torch.sin(points[:, 0] * 31 + 3 * torch.sin(points[:, 1] * 17)) * torch.sin(points[:, 1] * 29 + z * 23)
    colour = at(*looks.skin) * (1 + 0.025 * grain)[:, None]
    blush = torch.exp(-(((x - 0.30) / 0.13) ** 2) - ((y - 0.17) / 0.10) ** 2)
    colour = colour * (1 - 0.16 * blush[:, None] * at(0.2, 1.0, 0.9))
    mole = torch.exp(-(((points[:, 0] + 0.25) / 0.022) ** 2) - ((y - 0.36) / 0.022) ** 2)
    arch = -0.235 - 0.05 * face.brows - 0.04 * (1 - ((x - 0.23) / 0.17) ** 2)
    brow = _inside(0.034 - (y - arch).abs() - 0.05 * (x - 0.20).clamp(min=0), 0.012)
    brow = brow * _inside(0.165 - (x - 0.225).abs(), 0.02) * (z < 0)
    nostril = torch.exp(-(((x - 0.05) / 0.026) ** 2) - ((y - 0.232) / 0.016) ** 2) * (z < -0.5)
    shade = torch.stack([0.85 * brow, 0.8 * mole, 0.8 * nostril]).amax(dim=0)[:, None]
    return colour * (1 - shade) + shade * (at(*looks.hair) * 0.7)


def _eye_colour(points: Tensor, sides: Tensor, face: Face, looks: Looks) -> Tensor:
    """White, iris and pupil, between lids that close."""
    away = (sides - at(*EYE)) / EYE_RADIUS
    mirror = points[:, 0].sign()
    across, down = away[:, 0], away[:, 1]
    almond = (1 - (across / 0.92) ** 2).clamp(min=0)
    upper, lower = (-0.50 + 0.74 * face.blink) * almond, 0.30 * almond
    iris = torch.hypot(across - 0.02 * mirror, down + 0.06)
    white = at(0.95, 0.94, 0.93) * (1 - 0.25 * _inside(upper + 0.22 - down, 0.15))[:, None]
    ring = _inside(0.43 - iris, 0.05)[:, None]
    colour = white * (1 - ring) + ring * at(*looks.iris) * (0.6 + 1.1 * iris)[:, None]
    pupil = _inside(0.19 - iris, 0.05)[:, None]
    glint = _inside(0.085 - torch.hypot(across * mirror + 0.13, down + 0.22), 0.04)[:, None]
    colour = colour * (1 - pupil) * (1 - glint) + pupil * (1 - glint) * 0.03 + glint
    seen = (_inside(down - upper, 0.03) * _inside(lower - down, 0.03))[:, None]
    lash = _inside(0.085 - (down - upper).abs(), 0.05) * (almond > 0.02)
    lid = at(*looks.skin) * 0.93 * (1 - 0.85 * lash[:, None])
    return colour * seen * (1 - 0.75 * lash[:, None]) + lid * (1 - seen)


def _inside(depth: Tensor, soft: float) -> Tensor:
    """1 where positive, 0 where negative, soft between."""
    return (0.5 + depth / (2 * soft)).clamp(0, 1)
