"""Frames of an avatar as a small film without sound, and back."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from deployments.avatar.sound import FPS

Pictures = NDArray[np.uint8]  # (n, height, width, RGB)
OPTIONS = {"format_whitelist": "mov", "codec_whitelist": "h264,mjpeg,mpeg4"}


def write_reel(path: Path, pictures: Pictures, crf: int = 16) -> None:
    """H.264 in an MP4, in full range; `crf` is x264's."""
    options = {"crf": str(crf), "preset": "slow"}
    with av.open(path, "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv444p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_reel(path: Path, size: Sequence[int]) -> Pictures:
    """`size`: frames, height and width that it must have, else `InvalidInput`."""
    pictures = np.empty((*size, 3), np.uint8)
    count = 0
    try:
        with av.open(str(path), options=OPTIONS) as container:
            for frame in container.decode(video=0):
                if count == size[0] or (frame.height, frame.width) != tuple(size[1:]):
                    raise InvalidInput("数字人模型的画面与清单不符。", param="model_param")
                pictures[count] = frame.to_ndarray(format="rgb24")
                count += 1
    except (av.error.FFmpegError, IndexError) as error:  # IndexError: no picture in it
        raise InvalidInput("数字人模型的画面无法解码。", param="model_param") from error
    if count != size[0]:
        raise InvalidInput("数字人模型的画面不完整。", param="model_param")
    return pictures
