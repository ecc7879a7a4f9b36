"""Pictures, narration and captions into one MP4."""

import os
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av

from contracts.model import Progress
from contracts.video import FilmRequest
from deployments.video.film.encoding import CRF, PRESET
from deployments.video.film.frames import Frames
from deployments.video.film.mp4 import Mp4

AHEAD = 6  # frames drawn while the encoder works
REPORT = 10  # frames between two progress reports


class Film:
    """`preset` and `crf` are x264's: how hard it tries, and how much it may lose."""

    def __init__(self, preset: str = PRESET, crf: int = CRF) -> None:
        self.preset, self.crf = preset, crf

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing is held between films."""

    def render(self, request: FilmRequest, files: Mapping[str, Path], output: Path) -> Iterator[Progress]:
        """Progress about every ten frames; 1.0 once the whole file is at `output`. Closed early, it leaves none.

        EngineFailed names the key of a picture or sound that cannot be read. Holds a few frames at a time.
        """
        part = output.with_name(f".{output.name}.{uuid.uuid4().hex}.part")
        try:
            yield from self._encode(request, files, part)
            os.replace(part, output)
        finally:
            part.unlink(missing_ok=True)
        yield Progress(fraction=1.0)

    def _encode(self, request: FilmRequest, files: Mapping[str, Path], part: Path) -> Generator[Progress]:
        frames = Frames(request, files)
        size = (request.width, request.height)
        narration = [(key, files[key]) for key in request.narration]
        with Mp4(part, size, request.fps, narration, self.preset, self.crf) as film:
            for number, frame in enumerate(_ahead(frames.draw, frames.count), 1):
                film.write(frame)
                if number % REPORT == 0:
                    yield Progress(fraction=0.99 * number / frames.count)
            film.finish()


def _ahead(draw: Callable[[int], av.VideoFrame], count: int) -> Generator[av.VideoFrame]:
    """Frames in order, drawn in a thread beside the reader, AHEAD of it at most."""
    pending: deque[Future[av.VideoFrame]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="film")
    try:
        for number in range(count):
            pending.append(pool.submit(draw, number))
            if len(pending) > AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
