"""Things and where they are, by any object detector of transformers: DETR, RT-DETR, YOLOS …"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from PIL.Image import Image

from contracts.sight import Detected
from deployments.boxes import area, clipped
from deployments.pretrained import best_device, pretrained, words


class Transformers:
    """`weights`: a folder in transformers' layout or an id on a hub; `labels`: a file with other words for labels.

    What it is less sure of than `threshold` (0–1) is left out, and of the rest the surest `most` are told.
    """

    def __init__(
        self,
        weights: str,
        revision: str = "",
        labels: str = "",
        threshold: float = 0.5,
        most: int = 100,
        device: str = "",
    ) -> None:
        self.weights, self.revision, self.labels, self.device = weights, revision, labels, device
        self.threshold, self.most = threshold, most

    def load(self) -> None:
        from transformers import AutoImageProcessor, AutoModelForObjectDetection

        self.device = self.device or best_device()
        self.processor = pretrained(AutoImageProcessor, self.weights, self.revision)
        model = pretrained(AutoModelForObjectDetection, self.weights, self.revision)
        self.model = model.to(self.device).eval()
        self.words = words(self.labels)
        # Pictures of several sizes are padded to the largest: a model that is not told where sees the padding too.
        takes = inspect.signature(self.model.forward).parameters
        self.padded = getattr(self.processor, "do_pad", False) and "pixel_mask" not in takes

    def detect(self, pictures: Sequence[Image]) -> list[list[Detected]]:
        batches = [[picture] for picture in pictures] if self.padded else [pictures]
        return [things for batch in batches for things in self._detect(batch)]

    def _detect(self, pictures: Sequence[Image]) -> list[list[Detected]]:
        import torch

        given = self.processor(list(pictures), return_tensors="pt").to(self.device)  # padded to the largest
        with torch.inference_mode():
            seen = self.model(**given)
        sizes = [(picture.height, picture.width) for picture in pictures]
        found = self.processor.post_process_object_detection(seen, threshold=self.threshold, target_sizes=sizes)
        return [self._told(*each) for each in zip(found, pictures, strict=True)]

    def _told(self, found: Mapping[str, Any], picture: Image) -> list[Detected]:
        """`scores` and `labels` are (things,), `boxes` (things, 4) as x1, y1, x2, y2."""
        rows = zip(found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist(), strict=True)
        things = [self._named(label, score, clipped(box, picture)) for label, score, box in rows]
        return sorted(filter(_has_area, things), key=lambda thing: -thing.confidence)[: self.most]

    def _named(self, number: int, confidence: float, box: tuple[float, float, float, float]) -> Detected:
        label = self.model.config.id2label[number]
        return Detected(label=self.words.get(label, label), confidence=min(confidence, 1.0), bbox=box)

    def close(self) -> None:
        self.model = None


def _has_area(thing: Detected) -> bool:
    return area(thing.bbox) > 0
