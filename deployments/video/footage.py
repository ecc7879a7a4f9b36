"""Frames that a model has made, as the film that was asked: its size, its rate, its length, its visible mark."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import EngineFailed
from contracts.video import ClipRequest
from deployments.video.film import planes
from deployments.video.film.encoding import add_video
from deployments.video.film.frames import MARK_S
from deployments.video.film.lettering import mark

Pixels = NDArray[np.uint8]  # (rows, columns, 3), RGB
ALIKE = "mbtree=0"  # with it, frames that repeat are not encoded the same way twice
EARLY = 1e-6  # of a frame: times that are equal but for how they were counted


def write(frames: Iterable[Pixels], rate_hz: float, request: ClipRequest, output: Path) -> None:
    """An MP4 of the frames, which come `rate_hz` a second. What is too short is held at its end, the rest cut off.

    EngineFailed when there is no frame. What breaks off leaves no file.
    """
    part = output.with_name(f".{output.name}")
    try:
        _encode(frames, rate_hz, request, part)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _encode(frames: Iterable[Pixels], rate_hz: float, request: ClipRequest, output: Path) -> None:
    letters = mark(request.mark, request.width, request.height) if request.mark else None
    with av.open(output, "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = add_video(container, (request.width, request.height), request.fps, more=ALIKE)
        for number, pixels in enumerate(paced(frames, rate_hz, request.fps, request.frames)):
            frame = av.VideoFrame(request.width, request.height, "yuv420p")
            frame.pts = number
            onto = planes.of_frame(frame)
            for target, source in zip(onto, planes.from_rgb(covering(pixels, request)), strict=True):
                target[:] = source
            if letters and number < MARK_S * request.fps:
                letters.write(onto)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def paced(frames: Iterable[Pixels], rate_hz: float, fps: int, count: int) -> Iterator[Pixels]:
    """At the time of each of `count` frames at `fps`, what is then to be seen; the last one stays."""
    source = iter(frames)
    shown, number = next(source, None), 0
    if shown is None:
        raise EngineFailed("视频模型没有给出画面。")
    for wanted in range(count):
        while number < math.floor(wanted * rate_hz / fps + EARLY) and (following := next(source, None)) is not None:
            shown, number = following, number + 1
        yield shown


def covering(pixels: Pixels, request: ClipRequest) -> Pixels:
    """Cut evenly to the proportions asked, and brought to the size."""
    rows, columns = pixels.shape[:2]
    scale = max(request.width / columns, request.height / rows)
    width, height = round(request.width / scale), round(request.height / scale)
    left, top = (columns - width) // 2, (rows - height) // 2
    part = pixels[top : top + height, left : left + width]
    if part.shape[:2] == (request.height, request.width):
        return part
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (request.width, request.height), interpolation=how), np.uint8)
