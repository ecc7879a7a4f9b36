"""Where the things of a picture are seen: the picture drawn again in flat colours, one for each thing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts.image import Thing
from deployments.image.painter.frame import Box, Item
from deployments.image.painter.raster import pixels
from deployments.image.painter.svg import group, silhouette

LONG_SIDE = 640  # pixels of the flat drawing: boxes are right to about two pixels of a 1280 picture
SMALLEST = 5.0  # pixels of the picture
SEEN = 0.35  # of a thing's own box, or it counts as hidden
FILLED = 0.08  # of a thing's own box by its pixels


def boxes(items: Sequence[Item], width: int, height: int) -> list[Thing]:
    """The labelled items that can be seen, each with the box of its visible pixels."""
    ratio = min(1.0, LONG_SIDE / max(width, height))
    small = max(round(width * ratio), 1), max(round(height * ratio), 1)
    colours = {}
    flat = ""
    for number, item in enumerate(items, 1):
        colours[number] = item
        flat += silhouette(item.body, f"#{number if item.label else 0:06x}") if item.body else ""
    owner = pixels(group(flat, scale=small[0] / width), *small).astype(np.int32)
    owner = (owner[..., 0] << 16) | (owner[..., 1] << 8) | owner[..., 2]  # (height, width) of item numbers
    found = ((item, _box(owner == number)) for number, item in colours.items() if item.label)
    scale = width / small[0], height / small[1]
    return [thing for item, seen in found if seen and (thing := _thing(item, *seen, scale, (width, height)))]


def _box(mask: NDArray[np.bool_]) -> tuple[Box, int] | None:
    """The box around the true pixels, and their number."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    box = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    return box, int(mask.sum())


def _thing(item: Item, box: Box, count: int, scale: tuple[float, float], size: tuple[int, int]) -> Thing | None:
    x1, y1, x2, y2 = box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]
    x2, y2 = min(x2, size[0]), min(y2, size[1])
    area = (x2 - x1) * (y2 - y1)
    if min(x2 - x1, y2 - y1) < SMALLEST or count * scale[0] * scale[1] < 0.5 * SMALLEST**2:
        return None
    if item.extent is not None:
        whole = max((item.extent[2] - item.extent[0]) * (item.extent[3] - item.extent[1]), 1.0)
        if area < SEEN * whole or count * scale[0] * scale[1] < FILLED * whole:
            return None
    return Thing(label=item.label, box=(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)))
