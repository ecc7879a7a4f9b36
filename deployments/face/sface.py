"""YuNet and SFace, by OpenCV: faces with five landmarks, and a trained vector for each (cosine from 0.363: one person).

Models: opencv_zoo, face_detection_yunet (MIT) and face_recognition_sface (Apache-2.0); their files lie in one folder.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from contracts.catalog import CATALOG
from contracts.errors import Unavailable
from contracts.sight import SeenFace
from deployments.boxes import area, clipped
from deployments.face.mtcnn import LANDMARKS

FINDER, KNOWER = "face_detection_yunet*.onnx", "face_recognition_sface*.onnx"
OVERLAP, MOST = 0.3, 5_000  # of boxes, of which the surer one stays; boxes that are looked at


class Sface:
    """`weights`: the folder; `most_side`: pixels that a picture is brought to at most, before faces are looked for."""

    def __init__(self, weights: str, threshold: float = 0.8, most_side: int = 1600) -> None:
        self.weights, self.threshold, self.most_side = weights, threshold, most_side
        self.turn = Lock()  # the networks keep what they are looking at

    def load(self) -> None:
        finder, knower = self._file(FINDER), self._file(KNOWER)
        try:
            self.finder = cv2.FaceDetectorYN.create(finder, "", (320, 320), self.threshold, OVERLAP, MOST)
            self.knower = cv2.FaceRecognizerSF.create(knower, "")
        except cv2.error as error:
            raise Unavailable(f"{self.weights!r} does not hold whole models: {error}") from error

    def find(self, pictures: Sequence[Image], embed: bool = False) -> list[list[SeenFace]]:
        with self.turn:
            return [self._find(picture, embed) for picture in pictures]

    def _find(self, picture: Image, embed: bool) -> list[SeenFace]:
        small = picture.copy()
        small.thumbnail((self.most_side, self.most_side))
        pixels = np.ascontiguousarray(np.asarray(small)[..., ::-1])  # (height, width, BGR)
        self.finder.setInputSize(small.size)
        rows = self.finder.detect(pixels)[1]
        scale = np.array(picture.size) / np.array(small.size)  # x, y
        found = [] if rows is None else [self._face(picture, pixels, row, scale, embed) for row in rows]
        return sorted(found, key=lambda face: area(face.bbox), reverse=True)

    def _face(self, picture: Image, pixels: NDArray[np.uint8], row: Any, scale: Any, embed: bool) -> SeenFace:
        """`row` is (15,): x, y, width, height, x and y of the landmarks from the left on, how sure it is."""
        x, y, width, height = row[:4].astype(float)
        corners = np.array([[x, y], [x + width, y + height]]) * scale
        marks = [(float(x), float(y)) for x, y in row[4:14].astype(float).reshape(5, 2) * scale]
        return SeenFace(
            confidence=float(np.clip(row[14], 0, 1)),
            bbox=clipped(corners.ravel().tolist(), picture),
            landmarks=dict(zip(LANDMARKS, marks, strict=True)),
            vector=self._vector(pixels, row) if embed else [],
        )

    def _vector(self, pixels: NDArray[np.uint8], row: Any) -> list[float]:
        """Of unit length, 128 numbers."""
        told = self.knower.feature(self.knower.alignCrop(pixels, row)).ravel().astype(float)
        return (told / max(float(np.linalg.norm(told)), 1e-9)).tolist()

    def _file(self, pattern: str) -> str:
        for folder in (CATALOG / self.weights, Path(self.weights)):
            if found := sorted(folder.glob(pattern)):
                return str(found[-1])
        raise Unavailable(f"{self.weights!r} holds no {pattern}.")

    def close(self) -> None:
        del self.finder, self.knower
