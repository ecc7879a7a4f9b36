"""Which pixels a step looks at, and what is truly there."""

from typing import NamedTuple

import torch
from torch import Tensor

from training.avatar.config import AvatarConfig
from training.avatar.footage import Footage


class Truth(NamedTuple):
    """Rays of a step, frame by frame, as many of each; colours are RGB within 0–1."""

    rows: Tensor  # (f,) of the footage
    pixels: Tensor  # (f, k, 2) x and y
    colour: Tensor  # (f * k, 3)
    behind: Tensor  # (f * k, 3)
    priced: Tensor  # (f * k,) whether sound has no business there
    spoken: Tensor  # (f * k,) whether expression has none: the lower face


class Chooser:
    """Holds the footage on the device that learns it, as bytes."""

    def __init__(self, config: AvatarConfig, footage: Footage, device: torch.device) -> None:
        self.config, self.device = config, device
        self.frames, self.behind = (torch.from_numpy(each).to(device) for each in (footage.frames, footage.behind))
        self.taught = torch.from_numpy(footage.taught).to(device)
        drawn = footage.region(config.drawn)
        self.drawn, self.mouth = (torch.from_numpy(each).to(device) for each in (drawn, footage.mouth))
        self.heard = torch.from_numpy(footage.region(config.heard)).to(device)
        self.lower = torch.from_numpy(footage.lower).to(device)

    def choose(self, patch: int) -> Truth:
        """At random; a `patch` of so many pixels a side about the mouth or anywhere in what is drawn, or scattered."""
        config = self.config
        rows = self.taught[torch.randint(len(self.taught), (config.frames,), device=self.device)]
        each = max(1, config.rays // config.frames)
        if patch:
            count = max(1, each // patch**2)
            near = int(count * config.mouth + float(torch.rand(())))  # on average so many
            parts = [self._squares(self.mouth[rows], near, patch), self._squares(self.drawn[rows], count - near, patch)]
        else:
            near = round(each * config.mouth)
            parts = [self._scattered(self.mouth[rows], near), self._scattered(self.drawn[rows], each - near)]
        return self._truth(rows, torch.cat(parts, dim=1))

    def all_of(self, row: int, box: Tensor) -> Truth:
        """Every pixel of a box of one frame."""
        left, top, right, bottom = (int(edge) for edge in box)
        y, x = torch.meshgrid(torch.arange(top, bottom), torch.arange(left, right), indexing="ij")
        pixels = torch.stack([x, y], dim=-1).view(1, -1, 2).to(self.device)
        return self._truth(torch.tensor([row], device=self.device), pixels)

    def _scattered(self, boxes: Tensor, count: int) -> Tensor:
        """(f, count, 2)"""
        corner, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        place = torch.rand(len(boxes), count, 2, device=self.device)
        return (corner + (place * size).long()).clamp(min=0)

    def _squares(self, boxes: Tensor, count: int, patch: int) -> Tensor:
        """(f, count * patch * patch, 2): squares whose middles are in the boxes, row by row of pixels."""
        height, width = self.frames.shape[1:3]
        limit = torch.tensor([width, height], device=self.device) - patch
        corner = (self._scattered(boxes, count) - patch // 2).clamp(min=0).minimum(limit)
        y, x = torch.meshgrid(*[torch.arange(patch, device=self.device)] * 2, indexing="ij")
        return (corner[:, :, None] + torch.stack([x, y], dim=-1).view(-1, 2)).flatten(1, 2)

    def _truth(self, rows: Tensor, pixels: Tensor) -> Truth:
        frame = rows[:, None].expand(pixels.shape[:2])
        x, y = pixels.unbind(-1)
        colour, behind = (all_[frame, y, x].flatten(0, 1).float() / 255 for all_ in (self.frames, self.behind))
        heard, lower = (self._inside(boxes[rows], pixels) for boxes in (self.heard, self.lower))
        return Truth(rows, pixels, colour, behind, ~heard, lower)

    def _inside(self, boxes: Tensor, pixels: Tensor) -> Tensor:
        """(f * k,) whether pixels (f, k, 2) are in the boxes (f, 4)."""
        return ((pixels >= boxes[:, None, :2]) & (pixels < boxes[:, None, 2:])).all(dim=-1).flatten()
