"""An MP4 that is written frame by frame, its narration in step: H.264 and AAC, its index in front."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import av

from deployments.video.film.encoding import CRF, PRESET, add_video
from deployments.video.film.sound import Soundtrack


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
        preset: str = PRESET,
        crf: int = CRF,
    ) -> None:
        self.container = av.open(path, "w", format="mp4", options={"movflags": "faststart"})
        self.fps, self.written = fps, 0
        self.video = add_video(self.container, size, fps, preset, crf)
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
