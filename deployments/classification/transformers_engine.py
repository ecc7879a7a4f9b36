"""What a picture shows, by any image classifier of transformers: ResNet, ViT, ConvNeXt …"""

from collections.abc import Sequence

from PIL.Image import Image

from contracts.sight import Classified
from deployments.pretrained import best_device, pretrained, words

MOST = 5  # answers a picture


class Transformers:
    """`weights`: a folder in transformers' layout or an id on a hub; `labels`: a file with other words for labels."""

    def __init__(self, weights: str, revision: str = "", labels: str = "", device: str = "") -> None:
        self.weights, self.revision, self.labels, self.device = weights, revision, labels, device

    def load(self) -> None:
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        self.device = self.device or best_device()
        self.processor = pretrained(AutoImageProcessor, self.weights, self.revision)
        model = pretrained(AutoModelForImageClassification, self.weights, self.revision)
        self.model = model.to(self.device).eval()
        self.words = words(self.labels)

    def classify(self, pictures: Sequence[Image]) -> list[list[Classified]]:
        import torch

        pixels = self.processor(list(pictures), return_tensors="pt").to(self.device)  # (batch, 3, height, width)
        with torch.inference_mode():
            chances = self.model(**pixels).logits.float().softmax(-1)  # (batch, labels)
        best = chances.topk(min(MOST, chances.shape[-1]))
        rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [[self._named(*each) for each in zip(*row, strict=True)] for row in rows]

    def _named(self, number: int, confidence: float) -> Classified:
        label = self.model.config.id2label[number]
        return Classified(label=self.words.get(label, label), confidence=min(confidence, 1.0))

    def close(self) -> None:
        self.model = None
