"""MTCNN: faces and their five landmarks, by three small networks; the vector of a face is a classical one."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from PIL.Image import Image

from contracts.sight import Landmark, Point, SeenFace
from deployments.boxes import area, clipped
from deployments.pretrained import best_device

LANDMARKS: tuple[Landmark, ...] = get_args(Landmark)  # in MTCNN's order


class Mtcnn:
    """`least_face`: pixels, in a picture that is first brought to `most_side` pixels at most.

    `threshold`: of the photographs that it was tried on, no face was below 0.95 and nothing else above.
    """

    def __init__(self, threshold: float = 0.95, least_face: int = 20, most_side: int = 1600, device: str = "") -> None:
        self.threshold, self.least_face, self.most_side, self.device = threshold, least_face, most_side, device

    def load(self) -> None:
        from deployments.face.mtcnn_library import open_mtcnn

        self.network = open_mtcnn(self.least_face, self.device or best_device())

    def find(self, pictures: Sequence[Image], embed: bool = False) -> list[list[SeenFace]]:
        return [self._find(picture, embed) for picture in pictures]

    def _find(self, picture: Image, embed: bool) -> list[SeenFace]:
        small = picture.copy()
        small.thumbnail((self.most_side, self.most_side))
        if min(small.size) <= self.least_face:  # the network has no scale at which to look
            return []
        scale = np.array(picture.size) / np.array(small.size)  # x, y
        boxes, scores, points = self.network.detect(small, landmarks=True)
        if boxes is None:
            return []
        found = zip(boxes, scores, points, strict=True)
        faces = [self._face(picture, box, score, point, scale) for box, score, point in found if score > self.threshold]
        faces = [_embedded(np.asarray(picture), face) for face in faces] if embed else faces
        return sorted(faces, key=lambda face: area(face.bbox), reverse=True)

    def _face(self, picture: Image, box: Any, score: Any, points: Any, scale: Any) -> SeenFace:
        """`box` is (4,), `points` (5, 2), both in the pixels of the picture that the network saw."""
        marks: list[Point] = [(float(x), float(y)) for x, y in points * scale]
        return SeenFace(
            confidence=float(np.clip(score, 0, 1)),
            bbox=clipped((np.asarray(box, float).reshape(2, 2) * scale).ravel().tolist(), picture),
            landmarks=dict(zip(LANDMARKS, marks, strict=True)),
        )

    def close(self) -> None:
        self.network = None


def _embedded(pixels: Any, face: SeenFace) -> SeenFace:
    from deployments.face.classical import embed

    return face.model_copy(update={"vector": embed(pixels, [face.landmarks[name] for name in LANDMARKS])})
