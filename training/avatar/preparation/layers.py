"""What is head and what is behind it: from poses, and from what of the film stands still."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.avatar.reel import Pictures
from training.avatar.preparation.parsing import Mask

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
Points = NDArray[np.float32]  # (n, k, 2) where HULL is seen in each frame
Masks = Callable[[int], Mask]  # of each frame


def behind_of(frames: Pictures, hulls: Points, heads: Masks | None = None) -> Pictures:
    """The frames without the head: the wall where it is known, else what is around it. `heads`: where each frame's is,
    of a caller who knows; else it is what of its hull is unlike the wall."""
    kernel = _kernel(frames)
    covered: Masks = lambda row: _inside(hulls[row], frames.shape[1:])  # noqa: E731
    if heads:
        covered = lambda row: cv2.dilate(heads(row).astype(np.uint8), kernel).astype(bool)  # noqa: E731
    wall, known = _wall(frames, covered)
    flat = wall.round().astype(np.uint8)
    made = np.empty_like(frames)
    for row, (frame, out) in enumerate(zip(frames, made, strict=True)):
        mask = covered(row)
        head = mask.astype(np.uint8) if heads else _unlike(frame, wall, mask, known, kernel)
        out[:] = np.where(((head == 1) & known)[..., None], flat, frame)
        out[:] = _filled(out, head & ~known)
    return made


def _kernel(frames: Pictures) -> NDArray[np.uint8]:
    grown = max(1, round(GROWN * frames.shape[1] / 256))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grown + 1,) * 2), np.uint8)


def _unlike(
    frame: Pictures, wall: NDArray[np.float32], mask: Mask, known: Mask, kernel: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """1 where it is another than the wall, within the mask and a little around."""
    unlike = np.abs(frame.astype(np.float32) - wall).max(axis=2) > UNLIKE
    head = cv2.morphologyEx((mask & (unlike | ~known)).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.dilate(head, kernel) & mask.astype(np.uint8), np.uint8)


def _inside(hull: NDArray[np.float32], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(hull.round().astype(np.int32)), 1)
    return mask.astype(bool)


def _wall(frames: Pictures, covered: Masks) -> tuple[NDArray[np.float32], Mask]:
    """(height, width, 3): what is seen of each pixel when no head is before it, in the median; and where that is."""
    rows = np.unique(np.linspace(0, len(frames) - 1, SEEN).astype(int))
    masks = np.stack([covered(int(row)) for row in rows])
    seen = np.where(masks[..., None], np.float32(np.nan), frames[rows].astype(np.float32))
    known = (~masks).sum(axis=0) >= 2
    wall = np.zeros(frames.shape[1:], np.float32)
    wall[known] = np.nanmedian(seen[:, known], axis=0)
    return wall, known


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
