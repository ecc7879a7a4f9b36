"""An MP4 that is written frame by frame, its narration in step: H.264 and AAC, its index in front."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from deployments.video.film.sound import Soundtrack

THREADS = 3  # of the encoder: one a core, and one that waits


class Mp4:
    """`size`: width and height, even; `narration`: names and files of sounds, none: a silent film.

    Frames are yuv420p, BT.709, their `pts` is their number. Use it in `with`, and `finish` what shall be whole.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: int,
        narration: Sequence[tuple[str, Path]] = (),
        preset: str = "veryfast",
        crf: int = 21,
    ) -> None:
        self.container = av.open(path, "w", format="mp4", options={"movflags": "faststart"})
        self.fps, self.written = fps, 0
        self.video = self._video(size, preset, crf)
        self.sound = Soundtrack(self.container, [name for name, _ in narration], dict(narration))

    def write(self, frame: av.VideoFrame) -> None:
        """The next one, and the sound up to its end."""
        self.container.mux(self.video.encode(frame))
        self.written += 1
        self.sound.until(self.written / self.fps)

    def finish(self) -> None:
        """What is still on its way, and the rest of the sound."""
        self.container.mux(self.video.encode(None))
        self.sound.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def _video(self, size: tuple[int, int], preset: str, crf: int) -> av.VideoStream:
        stream = self.container.add_stream("libx264", rate=self.fps, options={"preset": preset, "crf": str(crf)})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, self.fps)
        context.profile = "High"
        context.thread_count = THREADS
        context.gop_size = 4 * self.fps
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        return stream
