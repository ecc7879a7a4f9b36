"""Pictures as the encoder takes them: Y at full size, U and V at half, BT.709 in 16–235."""

from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]  # (rows, columns)
BLACK = (16, 128, 128)
WHITE = 235

RGB_TO_YUV = np.array(  # ITU-R BT.709-6 §3, quantised as in §4 for 8 bits
    [
        [0.18258588, 0.61423059, 0.06200706, 16],
        [-0.10064373, -0.33857195, 0.43921569, 128],
        [0.43921569, -0.39894216, -0.04027352, 128],
    ]
)


class Planes(NamedTuple):
    y: Plane
    u: Plane
    v: Plane


def from_rgb(rgb: NDArray[np.uint8]) -> Planes:
    """Of a picture (rows, columns, 3) with even sides."""
    rows, columns = rgb.shape[:2]
    half = cv2.resize(rgb, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    y = cv2.transform(rgb, RGB_TO_YUV[:1])
    u, v = cv2.split(cv2.transform(half, RGB_TO_YUV[1:]))
    return Planes(*(np.asarray(plane, np.uint8) for plane in (y, u, v)))


def of_frame(frame: av.VideoFrame) -> Planes:
    """Views of a yuv420p frame's own memory, to be written to."""
    return Planes(*(_view(plane) for plane in frame.planes))


def _view(plane: av.video.plane.VideoPlane) -> Plane:
    lines = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * plane.line_size]
    return lines.reshape(plane.height, plane.line_size)[:, : plane.width]


def mix(onto: Planes, other: Planes, share: float) -> None:
    """Cross-fade in place: `share` of `onto` stays, the rest is `other`."""
    for mine, theirs in zip(onto, other, strict=True):
        cv2.addWeighted(mine, share, theirs, 1 - share, 0, dst=mine)


def dim(planes: Planes, light: float) -> None:
    """Fade towards black in place: 1 is as it was, 0 is black."""
    for plane, black in zip(planes, BLACK, strict=True):
        cv2.convertScaleAbs(plane, dst=plane, alpha=light, beta=black * (1 - light))
