"""What is shown of drawn pictures: large enough for people, with the visible mark, as frames of a film or as JPEGs."""

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from contracts.errors import EngineFailed
from deployments.video.film import planes
from deployments.video.film.lettering import mark

LEAST = 512  # pixels of the shorter side: of less, the mark could not be read
QUALITY = 88  # of a JPEG

Picture = NDArray[np.uint8]  # (height, width, RGB)


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, even, that pictures of this size are shown in."""
    ratio = max(1.0, LEAST / min(width, height))
    return round(width * ratio) & ~1, round(height * ratio) & ~1


class Canvas:
    """For pictures of one size. `words`: of the mark; empty: none."""

    def __init__(self, width: int, height: int, words: str) -> None:
        self.size = shown_size(width, height)
        self.mark = mark(words, *self.size) if words else None

    def frame(self, picture: Picture, number: int = 0) -> av.VideoFrame:
        """yuv420p, BT.709, with the mark; `number`: its place in the film."""
        if self.size != (picture.shape[1], picture.shape[0]):
            picture = np.asarray(cv2.resize(picture, self.size, interpolation=cv2.INTER_CUBIC), np.uint8)
        frame = av.VideoFrame(*self.size, "yuv420p")
        frame.pts = number
        onto = planes.of_frame(frame)
        for mine, theirs in zip(onto, planes.from_rgb(picture), strict=True):
            mine[:] = theirs
        if self.mark:
            self.mark.write(onto)
        return frame

    def jpeg(self, picture: Picture) -> bytes:
        """The same as a file."""
        frame = self.frame(picture).reformat(
            format="bgr24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
        )
        made, content = cv2.imencode(".jpg", frame.to_ndarray(), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not made:
            raise EngineFailed("数字人画面无法编码。")
        return content.tobytes()
