"""Every frame of a film, by number."""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import av

from contracts.video import FilmRequest
from deployments.video.film import planes
from deployments.video.film.camera import Camera, canvas
from deployments.video.film.lettering import Letters, caption, mark

CROSS_FADE_S = 0.6
BLACK_S = 0.3
MARK_S = 2.5


class Span(NamedTuple):
    """A shot's frames: `start` up to `end`; the first `fade` of them show the shot before as well."""

    number: int
    key: str
    start: int
    end: int
    fade: int


class Frames:
    """Frames are drawn in order; the pictures of two shots are held at most."""

    def __init__(self, request: FilmRequest, files: Mapping[str, Path]) -> None:
        self.request, self.files = request, files
        self.spans = spans(request)
        self.count = self.spans[-1].end
        self.black = min(round(BLACK_S * request.fps), self.count // 4)
        self.now = -1  # index into spans
        self.cameras: list[Camera] = []  # of the shot before, and of this one
        self.other = planes.of_frame(self._frame(0))
        self.captions = sorted(request.captions, key=lambda caption: caption.start_s)
        self.shown: tuple[str, Letters | None] = ("", None)
        self.mark = mark(request.mark, request.width, request.height) if request.mark else None

    def draw(self, number: int) -> av.VideoFrame:
        """Picture, cross-fade, fade to black, then words on top."""
        frame = self._frame(number)
        onto = planes.of_frame(frame)
        while self.now < 0 or number >= self.spans[self.now].end:
            self._next_shot()
        span = self.spans[self.now]
        self.cameras[-1].shoot(number - span.start, onto)
        if number - span.start < span.fade:
            before = self.spans[self.now - 1]
            self.cameras[0].shoot(number - before.start, self.other)
            planes.mix(onto, self.other, (number - span.start + 1) / (span.fade + 1))
        light = self._light(number)
        if light < 1:
            planes.dim(onto, light)
        self._write(number, onto)
        return frame

    def _frame(self, number: int) -> av.VideoFrame:
        frame = av.VideoFrame(self.request.width, self.request.height, "yuv420p")
        frame.pts = number
        return frame

    def _next_shot(self) -> None:
        self.now += 1
        span = self.spans[self.now]
        follows = self.spans[self.now + 1].fade if self.now + 1 < len(self.spans) else 0
        picture = canvas(span.key, self.files[span.key], self.request.width, self.request.height)
        camera = Camera(picture, span.number, self.request.width, span.end - span.start + follows)
        self.cameras = [*self.cameras[-1:], camera]

    def _light(self, number: int) -> float:
        return min(1.0, (number + 1) / (self.black + 1), (self.count - number) / (self.black + 1))

    def _write(self, number: int, onto: planes.Planes) -> None:
        if letters := self._caption(number):
            letters.write(onto)
        if self.mark and number < MARK_S * self.request.fps:
            self.mark.write(onto)

    def _caption(self, number: int) -> Letters | None:
        """The caption of the frame, drawn once; of two at a time, the later."""
        fps, text = self.request.fps, ""
        for one in self.captions:
            if round(one.start_s * fps) <= number < round(one.end_s * fps):
                text = one.text
        if text != self.shown[0]:
            self.shown = (text, caption(text, self.request.width, self.request.height))
        return self.shown[1]


def spans(request: FilmRequest) -> list[Span]:
    """Boundaries are at the rounded sums of the durations; a shot that rounds to nothing is left out."""
    ends = [round(end * request.fps) for end in accumulate(shot.duration_s for shot in request.shots)]
    ends[-1] = max(1, ends[-1])
    found: list[Span] = []
    for number, (start, end) in enumerate(pairwise([0, *ends])):
        if end > start:
            fade = min(round(CROSS_FADE_S * request.fps), (end - start) // 2) if found else 0
            found.append(Span(number, request.shots[number].picture, start, end, fade))
    return found
