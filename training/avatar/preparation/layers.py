"""What is head and what is behind it: from poses, and from what of the film stands still."""

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.avatar.reel import Pictures

SEEN = 40  # frames that the background is found from
UNLIKE = 22.0  # grey levels by which a head differs from the wall
GROWN = 5  # of 256 pixels
HULL = np.array(  # of a head with its hair, down to the chin: generous
    [
        [x * side, y, z]
        for side in (-1, 1)
        for x, y, z in (
            *((0.0, -1.0, 0.1), (0.45, -0.92, 0.0), (0.72, -0.6, 0.1), (0.78, 0.0, 0.1)),
            *((0.72, 0.45, 0.0), (0.45, 0.75, -0.2), (0.2, 0.86, -0.4)),
        )
    ],
    np.float32,
)
Masks = NDArray[np.bool_]  # (n, height, width)


def covered(hulls: NDArray[np.float32], height: int, width: int) -> Masks:
    """Inside the hulls of points (n, k, 2)."""
    masks = np.zeros((len(hulls), height, width), np.uint8)
    for mask, points in zip(masks, hulls, strict=True):
        cv2.fillConvexPoly(mask, cv2.convexHull(points.round().astype(np.int32)), 1)
    return masks.astype(bool)


def wall_of(frames: Pictures, masks: Masks) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(height, width, 3): what is seen of each pixel when no head is before it, in the median; and where that is."""
    rows = np.unique(np.linspace(0, len(frames) - 1, SEEN).astype(int))
    seen = np.where(masks[rows, ..., None], np.float32(np.nan), frames[rows].astype(np.float32))
    known = (~masks[rows]).sum(axis=0) >= 2
    wall = np.zeros(frames.shape[1:], np.float32)
    wall[known] = np.nanmedian(seen[:, known], axis=0)
    return wall, known


def behind_of(frames: Pictures, masks: Masks) -> Pictures:
    """The frames without the head: the wall where it is known, else what is around it."""
    wall, known = wall_of(frames, masks)
    grown = max(1, round(GROWN * frames.shape[1] / 256))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1,) * 2)
    made = np.empty_like(frames)
    for frame, mask, out in zip(frames, masks, made, strict=True):
        unlike = np.abs(frame.astype(np.float32) - wall).max(axis=2) > UNLIKE
        head = (mask & (unlike | ~known)).astype(np.uint8)
        head = cv2.morphologyEx(head, cv2.MORPH_CLOSE, kernel)
        head = cv2.dilate(head, kernel) & mask.astype(np.uint8)
        out[:] = np.where((head == 1)[..., None] & known[..., None], wall.round().astype(np.uint8), frame)
        out[:] = _filled(out, head & ~known)
    return made


def _filled(picture: Pictures, hole: NDArray[np.uint8]) -> Pictures:
    """In-painted at a quarter of the size, which is quick and as soft as what nobody sees may be."""
    if not hole.any():
        return picture
    height, width = hole.shape
    size = (max(8, width // 4), max(8, height // 4))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    holes = cv2.dilate((cv2.resize(hole, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8), np.ones((3, 3)))
    soft = cv2.resize(cv2.inpaint(small, holes, 3, cv2.INPAINT_TELEA), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None] == 1, soft, picture)
