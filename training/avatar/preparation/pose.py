"""Where a head is in every frame: from its five points, then from whatever of it does not deform.

The second is SyncTalk's head stabiliser (arXiv:2311.17590, §3.3) without a model of faces: points of the forehead, the
nose and about the eyes are followed through the film, and points and poses are adjusted together.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import savgol_filter  # type: ignore[import-untyped]
from torch import Tensor

from deployments.avatar.reel import Pictures
from training.avatar.preparation.landmarks import Points

FOCAL = 2.0  # of the longer side of the film, when nobody says: a telephone at arm's length has 1, a portrait lens 3
MEAN_FACE = np.array(  # a head of 26 cm is 2 high: eyes, nose, corners of the mouth
    [[-0.22, -0.06, -0.50], [0.22, -0.06, -0.50], [0.0, 0.17, -0.70], [-0.165, 0.41, -0.50], [0.165, 0.41, -0.50]],
    np.float64,
)
UPPER = np.array([[-0.5, -0.55, -0.3], [0.5, -0.55, -0.3], [0.42, 0.20, -0.4], [-0.42, 0.20, -0.4]], np.float32)
TRACKS, APART, BACK = 60, 4, 0.7  # at most; pixels between two; pixels by which a track may miss its beginning
AGAIN, LIFE = 50, 200  # frames after which new tracks begin, and for which each is followed
STEPS, RATE, HUBER = 500, 4e-3, 1.0
SMOOTH = 9
Poses = NDArray[np.float32]  # (n, 3, 4)


def posed(points: Points, camera: NDArray[np.float32]) -> Poses:
    """From five points (n, 5, 2), smoothed over time."""
    matrix = np.array([[camera[0], 0, camera[1]], [0, camera[0], camera[2]], [0, 0, 1]], np.float64)
    turn = np.zeros((3, 1))
    shift = np.array([[0.0], [0.0], [camera[0] * 0.44 / max(1.0, float(np.ptp(points[0, :2, 0])))]])
    found = []
    for each in points:
        seen = each.astype(np.float64)
        _, *pose = cv2.solvePnP(MEAN_FACE, seen, matrix, None, turn, shift, True, cv2.SOLVEPNP_ITERATIVE)
        turn, shift = (np.asarray(part, np.float64) for part in pose)
        found.append(np.concatenate([turn, shift]).ravel())
    smooth = _smoothed(np.array(found))
    return _matrices(torch.from_numpy(smooth)).numpy().astype(np.float32)


def adjusted(frames: Pictures, poses: Poses, camera: NDArray[np.float32]) -> Poses:
    """Bundle adjustment: poses under which the tracks of the upper face move as one body. Frames without tracks move
    as those around them do."""
    tracks = followed(frames, poses, camera)
    if len(tracks.first) < 8:
        return poses
    at, which, places = (torch.from_numpy(each) for each in (tracks.at, tracks.which, tracks.places))
    camera_, first = torch.from_numpy(camera).double(), torch.from_numpy(tracks.first)
    start = torch.from_numpy(np.stack([_vector(each) for each in poses])).double()
    beginnings = places[(at == first[which])]  # each track's first place, in the order of tracks
    bodies = _laid(beginnings, torch.from_numpy(poses).double()[first], camera_).requires_grad_()
    moves = torch.zeros_like(start).requires_grad_()
    known = torch.zeros(len(start), 1, dtype=torch.bool)
    known[at.unique()] = True
    held = known[2:] & known[1:-1] & known[:-2]
    optimizer = torch.optim.Adam([{"params": [moves], "lr": RATE}, {"params": [bodies], "lr": RATE}])
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.05 ** (step / STEPS)
        now = _matrices(start + moves)[at]
        seen = torch.einsum("mij,mj->mi", now[..., :3], bodies[which]) + now[..., 3]
        off = (_onto(seen, camera_) - places).norm(dim=1)
        bent = torch.where(off < HUBER, 0.5 * off**2, HUBER * (off - 0.5 * HUBER))
        jerk = torch.where(held, _jerk(start + moves), _jerk(moves)).mean()
        loss = bent.mean() + 1e2 * jerk + 1e-1 * moves.mean(dim=0).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return _matrices((start + moves).detach()).numpy().astype(np.float32)


class Tracks(NamedTuple):
    """Points of the upper face, followed: (m,) frames, (m,) tracks, (m, 2) places; (t,) where each begins."""

    at: NDArray[np.int64]
    which: NDArray[np.int64]
    places: NDArray[np.float64]
    first: NDArray[np.int64]


def followed(frames: Pictures, poses: Poses, camera: NDArray[np.float32]) -> Tracks:
    """By their neighbourhoods (Lucas and Kanade), until following them back does not end where they were. New ones
    begin all along: a head that turns hides those of the start."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    at, which, first = list[NDArray[np.int64]](), list[NDArray[np.int64]](), list[NDArray[np.int64]]()
    places: list[NDArray[np.float64]] = []
    for start in range(0, len(grey), AGAIN):
        there, seen = _from(grey[start : start + LIFE], poses[start], camera)
        track, frame = seen.nonzero()
        at.append(frame + start)
        which.append(track + sum(len(each) for each in first))
        places.append(there[track, frame].astype(np.float64))
        first.append(np.full(len(there), start))
    return Tracks(np.concatenate(at), np.concatenate(which), np.concatenate(places), np.concatenate(first))


def _from(
    grey: Sequence[NDArray[np.uint8]], pose: NDArray[np.float32], camera: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(t, n, 2) places of tracks that begin in the first picture, and (t, n) whether they are seen there."""
    mask = np.zeros_like(grey[0])
    corners = projected(*(torch.from_numpy(each).double() for each in (pose[None], UPPER, camera)))[0].numpy()
    cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 255)
    first = cv2.goodFeaturesToTrack(grey[0], TRACKS, 0.005, APART, mask=mask)
    if first is None:
        return np.zeros((0, len(grey), 2), np.float32), np.zeros((0, len(grey)), bool)
    follow: Any = partial(cv2.calcOpticalFlowPyrLK, nextPts=None, winSize=(15, 15), maxLevel=2)
    places, seen = [first], [np.ones(len(first), bool)]
    for before, after in pairwise(grey):
        there, ok, _ = follow(before, after, places[-1])
        back, _, _ = follow(after, before, there)
        close = np.linalg.norm(back - places[-1], axis=2)[:, 0] < BACK
        places.append(there)
        seen.append(seen[-1] & (ok[:, 0] == 1) & close)
    return np.stack(places, axis=1)[:, :, 0].astype(np.float32), np.stack(seen, axis=1)


def projected(poses: Tensor, points: Tensor, camera: Tensor) -> Tensor:
    """(n, k, 2): where points of the head (k, 3) are, in pixels."""
    return _onto(torch.einsum("nij,kj->nki", poses[..., :3], points) + poses[:, None, :, 3], camera)


def _onto(seen: Tensor, camera: Tensor) -> Tensor:
    """Pixels of points (…, 3) before the camera."""
    return seen[..., :2] / seen[..., 2:] * camera[0] + camera[1:]


def _jerk(vectors: Tensor) -> Tensor:
    return torch.diff(vectors, n=2, dim=0).square()


def _laid(pixels: Tensor, poses: Tensor, camera: Tensor) -> Tensor:
    """(p, 3): pixels (p, 2), each of a frame with its pose (p, 3, 4), laid onto a rounded face."""
    flat = torch.cat([(pixels - camera[1:]) / camera[0], torch.ones(len(pixels), 1, dtype=pixels.dtype)], dim=1)
    seen = flat * (poses[:, 2, 3:] - 0.45)
    bodies = torch.einsum("pi,pij->pj", seen - poses[..., 3], poses[..., :3])
    round_ = -0.62 * torch.sqrt((1 - (bodies[:, 0] / 0.75) ** 2 - (bodies[:, 1] / 1.0) ** 2).clamp(min=0.1))
    return torch.stack([bodies[:, 0], bodies[:, 1], round_], dim=1)


def _vector(pose: NDArray[np.float32]) -> NDArray[np.float64]:
    turn, _ = cv2.Rodrigues(pose[:, :3].astype(np.float64))
    return np.concatenate([turn.ravel(), pose[:, 3].astype(np.float64)])


def _matrices(vectors: Tensor) -> Tensor:
    """(n, 3, 4) of (n, 6): turns as axis times angle, and shifts."""
    x, y, z = vectors[:, :3].unbind(1)
    none = torch.zeros_like(x)
    cross = torch.stack([none, -z, y, z, none, -x, -y, x, none], dim=1).view(-1, 3, 3)
    return torch.cat([torch.linalg.matrix_exp(cross), vectors[:, 3:, None]], dim=2)


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    window = min(SMOOTH, len(values) - (len(values) + 1) % 2)
    return savgol_filter(values, window, 2, axis=0) if window > 2 else values
