"""Films of any rate, size and orientation, as upright frames at 25 a second and sound at 16 kHz."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FPS, RATE_HZ, Sound
from deployments.sounds import Broken, decoded, opened

FORMATS = "mov,matroska,mpegts,avi,flv,asf"
LONGEST_S = 1800.0
PACED, UNEVEN = 3000, 1.3  # frames whose pace is looked at; how far slow ones are apart, beside quick ones


class Film(NamedTuple):
    """What a film says of itself; `fps`: frames a second, in the mean; `rotation`: degrees by which it is turned."""

    duration_s: float
    fps: float
    width: int
    height: int
    rotation: int = 0
    uneven: bool = False  # some frames are seen for longer than others


def film_of(path: Path) -> Film:
    """Upright: width and height are as people see it."""
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise InvalidInput("视频无法解码。", param="ref_video")
        own = stream.duration * stream.time_base if stream.duration else 0  # the sound may be longer
        duration_s = float(own) or float(container.duration or 0) / av.time_base or _last_s(container, stream)
        fps = float(stream.average_rate or 0)
        if stream.frames and duration_s:
            fps = stream.frames / duration_s
        height, width = upright(first).shape[:2]
        return Film(duration_s, fps, width, height, _rotation(first), _is_uneven(container, stream))


def frames_of(path: Path, start_s: float, count: int, every: int = 1) -> Iterator[tuple[int, Pictures]]:
    """`count` frames from `start_s` on, each `every` 25ths of a second apart: their numbers, and the picture that is on
    the screen then. Ends early where the film does."""
    wanted = 0
    with _opened(path) as (container, stream):
        origin = float(stream.start_time * stream.time_base) if stream.start_time else 0.0
        if start_s > 1:
            container.seek(int((origin + start_s - 1) * av.time_base))
        before: Any = None
        for frame in container.decode(stream):
            at_s = (frame.time or 0.0) - origin
            while before is not None and wanted < count and start_s + wanted * every / FPS < at_s - 1e-6:
                yield wanted, upright(before)
                wanted += 1
            if wanted == count:
                return
            before = frame
        last_s = at_s + 1 / FPS if before is not None else 0.0
        while before is not None and wanted < count and start_s + wanted * every / FPS < last_s:
            yield wanted, upright(before)
            wanted += 1


def sound_of(path: Path) -> Sound:
    """All of it from the first picture on, (samples,); empty where there is none."""
    try:
        with opened(path) as container:
            late = round((_begins_s(container.streams.audio) - _begins_s(container.streams.video)) * RATE_HZ)
            pieces = list(decoded(container, RATE_HZ, LONGEST_S, "fltp"))
    except Broken:
        return np.zeros(0, np.float32)
    heard = np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
    heard = np.nan_to_num(heard).clip(-1, 1)  # floats of a file may be anything
    return np.pad(heard, (max(0, late), 0))[max(0, -late) :] if abs(late) < len(heard) else heard


def _begins_s(streams: Any) -> float:
    return float((streams[0].start_time or 0) * streams[0].time_base) if streams else 0.0


def upright(frame: Any) -> NDArray[np.uint8]:
    """(height, width, RGB), turned as the film says."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
    turn = turns.get(_rotation(frame))
    return pixels if turn is None else np.asarray(cv2.rotate(pixels, turn), np.uint8)


def _rotation(frame: Any) -> int:
    return round(frame.rotation / 90) * 90 % 360


def _is_uneven(container: Any, stream: Any) -> bool:
    """A telephone takes fewer frames a second where it is dark or hot."""
    ends = [packet.pts for packet in islice(container.demux(stream), PACED) if packet.pts is not None]
    gaps = np.diff(np.unique(ends))
    if len(gaps) < FPS:
        return False
    quick, slow = np.percentile(gaps, (5, 95))
    return bool(slow > UNEVEN * quick)


def _last_s(container: Any, stream: Any) -> float:
    """When the last frame is; a recording that a browser streamed does not tell how long it is."""
    ends = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    return float((max(ends, default=0) - (stream.start_time or 0)) * stream.time_base)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    try:
        with av.open(str(path), options={"format_whitelist": FORMATS}) as container:
            if not container.streams.video:
                raise InvalidInput("文件中没有画面。", param="ref_video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except av.error.FFmpegError as error:
        raise InvalidInput("视频无法解码。", param="ref_video") from error
