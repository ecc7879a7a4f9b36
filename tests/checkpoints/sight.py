"""A classifier and a detector as their authors publish them: ResNet and DETR, small and with random weights."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    ConvNextImageProcessorPil,
    DetrConfig,
    DetrForObjectDetection,
    DetrImageProcessorPil,
    ResNetConfig,
    ResNetForImageClassification,
)

LABELS = {0: "tabby, tabby cat", 1: "daisy", 2: "palace", 3: "space suit", 4: "castle", 5: "bee", 6: "lynx"}
THINGS = dict.fromkeys(range(18), "N/A") | {1: "person", 2: "bicycle", 3: "car", 17: "cat"}


def build_resnet(folder: Path) -> None:
    """As microsoft/resnet-50."""
    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", **named(LABELS))
    ResNetForImageClassification(config).eval().save_pretrained(folder)
    ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875).save_pretrained(folder)


def build_detr(folder: Path) -> None:
    """As facebook/detr-resnet-50 without timm. It is made to see a person wherever it looks: what it says is tested."""
    torch.manual_seed(0)
    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    )
    config = DetrConfig(
        backbone_config=backbone.to_dict(),
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=5,
        **named(THINGS),
    )
    model = DetrForObjectDetection(config).eval()
    with torch.no_grad():
        model.class_labels_classifier.bias[1] += 4
    model.save_pretrained(folder)
    DetrImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160}).save_pretrained(folder)


def named(names: dict[int, str]) -> dict[str, Any]:
    return {"id2label": names, "label2id": {name: number for number, name in names.items()}}
