"""What a field of an avatar is made of: everything in which ER-NeRF and SyncTalk differ when they are drawn."""

from typing import Literal

from pydantic import Field as Bounded

from contracts.avatar import EarName
from contracts.model import Contract


class FieldShape(Contract):
    """Sizes of the networks and of the march. The defaults are the papers' (arXiv:2307.09323, arXiv:2311.17590)."""

    planes: Literal["dense", "hash"] = "dense"
    levels: int = Bounded(12, ge=1, le=16)
    coarsest: int = Bounded(64, ge=2, le=512, description="Cells a side of the first level.")
    finest: int = Bounded(512, ge=2, le=1024)
    features: int = Bounded(1, ge=1, le=8)
    table_bits: int = Bounded(14, ge=8, le=19, description="Of a level's table, where planes are hashed.")
    hidden: int = Bounded(64, ge=8, le=256)
    geometry: int = Bounded(64, ge=4, le=256, description="Numbers that the density hands to the colour.")
    ear: EarName = Bounded("mel", description="What tells of the sound: `deployments.avatar.ears`.")
    ear_size: int = Bounded(80, ge=8, le=4096, description="Numbers of a step of what it tells.")
    audio: int = Bounded(32, ge=4, le=256, description="Numbers that a frame's sound becomes.")
    expression: int = Bounded(1, ge=0, le=52, description="Channels: blinks, brows.")
    gate: Literal["sigmoid", "linear"] = Bounded("sigmoid", description="How a place lets expression through.")
    view_degree: int = Bounded(4, ge=1, le=4, description="Of the spherical harmonics of the direction of view.")
    code: int = Bounded(4, ge=0, le=64, description="Numbers of a frame's own, for what nothing else explains.")
    grid: int = Bounded(128, ge=8, le=256, description="Cells a side of the grid of what is occupied.")
    candidates: int = Bounded(128, ge=8, le=1024, description="Places of a ray that are looked up in the grid.")
    samples: int = Bounded(16, ge=1, le=256, description="Of these at most so many, the nearest, are computed.")
