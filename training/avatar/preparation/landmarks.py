"""Five points of the face in every frame: eyes, nose, corners of the mouth. MTCNN's, or a caller's."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import savgol_filter  # type: ignore[import-untyped]

from contracts.errors import InvalidInput
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FPS
from deployments.face.mtcnn import LANDMARKS, Mtcnn

COUNT = len(LANDMARKS)
SMOOTH = 7  # frames
SURE = 0.9  # drawn and painted faces are a little less sure than photographs
MOST_MISSING = 0.2
FAR, GROWN = 0.5, 1.6  # of the distance between the eyes, that a face moves in a frame; as much larger, or smaller
EDGE = 0.1  # of the picture's side: a face that is cut off is not looked for beyond

Points = NDArray[np.float32]  # (k, 5, 2) in pixels


class Face(NamedTuple):
    box: tuple[float, float, float, float]  # left, top, right, bottom
    points: Points  # (5, 2)


def finder(device: str = "") -> Callable[[Pictures], list[Face]]:
    """Finds the faces of a picture (height, width, RGB), the largest first."""
    engine = Mtcnn(threshold=SURE, most_side=640, device=device)
    engine.load()

    def find(picture: Pictures) -> list[Face]:
        seen = engine.find([Image.fromarray(picture)])[0]
        return [Face(each.bbox, np.array([each.landmarks[name] for name in LANDMARKS], np.float32)) for each in seen]

    return find


def tracked(frames: Pictures, find: Callable[[Pictures], list[Face]]) -> Points:
    """(n, 5, 2): of each frame the face that is nearest to where it was, smoothed over time."""
    found = np.full((len(frames), COUNT, 2), np.nan, np.float32)
    before: Points | None = None
    missed = 0
    for number, frame in enumerate(frames):
        faces = [each for each in find(frame) if before is None or _goes_on(before, each.points, missed)]
        missed += 1
        if faces:
            at = before if before is not None else faces[0].points
            nearest = min(faces, key=lambda face: float(np.abs(face.points - at).mean()))
            found[number] = before = nearest.points
            missed = 0
    return smoothed(whole(found))


def _goes_on(before: Points, now: Points, missed: int) -> bool:
    """Whether it can be the same face so many frames later, and is not one in a picture on the wall."""
    apart, later = (float(np.linalg.norm(each[1] - each[0])) for each in (before, now))
    far = float(np.linalg.norm(now.mean(axis=0) - before.mean(axis=0)))
    return far < FAR * (1 + min(missed, FPS)) * apart and 1 / GROWN < later / max(apart, 1e-6) < GROWN


def given(content: bytes, count: int) -> Points:
    """A caller's, (n, 5, 2), (n, 68, 2) or (n, 478, 2) numbers in a .npy file, in pixels of the frames as prepared."""
    points = rows_of(content, count, "landmarks")
    if points.ndim != 3 or points.shape[2] != 2 or points.shape[1] not in GROUPS:
        raise InvalidInput("关键点应为 (帧数, 5、68 或 478, 2) 的有限数值。", param="landmarks")
    five = [points[:, list(group)].mean(axis=1) for group in GROUPS[points.shape[1]]]
    return np.stack(five, axis=1).astype(np.float32)


def rows_of(content: bytes, count: int, param: str) -> NDArray[np.float32]:
    """The finite numbers of a .npy file, a row a frame; one frame too many or too few is none. Else `InvalidInput`."""
    try:
        rows = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InvalidInput("文件应为 .npy 数组。", param=param) from error
    if rows.dtype.kind not in "fiu" or not rows.ndim or not rows.size or not np.isfinite(rows).all():
        raise InvalidInput("文件应为有限数值的数组，每帧一行。", param=param)
    if abs(len(rows) - count) > 1:
        raise InvalidInput(f"文件有 {len(rows)} 帧，视频有 {count} 帧。", param=param)
    return np.asarray(rows[np.minimum(np.arange(count), len(rows) - 1)], np.float32)


GROUPS: dict[int, Sequence[Sequence[int]]] = {  # which points the five are the middle of, by how many there are
    5: [(0,), (1,), (2,), (3,), (4,)],
    68: [range(36, 42), range(42, 48), (30,), (48,), (54,)],  # iBUG 300-W
    478: [(33, 133), (362, 263), (1,), (61,), (291,)],  # MediaPipe's face mesh
}


def whole(points: Points) -> Points:
    """Where a few are lacking (NaN), along straight lines between those that are there."""
    there = np.isfinite(points).all(axis=(1, 2))
    if there.mean() < 1 - MOST_MISSING:
        raise InvalidInput(f"只有 {there.mean():.0%} 的画面能看到人脸，请使用全程正对镜头的视频。", param="ref_video")
    numbers, flat = np.arange(len(points)), points.reshape(len(points), -1)
    filled = [np.interp(numbers, numbers[there], column[there]) for column in flat.T]
    return np.stack(filled, axis=1).reshape(points.shape).astype(np.float32)


def smoothed(points: Points) -> Points:
    """Without trembling; a nod stays a nod."""
    window = min(SMOOTH, len(points) - (len(points) + 1) % 2)
    return savgol_filter(points, window, 2, axis=0).astype(np.float32) if window > 2 else points
