"""Write the two trained models as they are shipped: float16 weights, processors, Chinese labels, cards."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import RTDetrImageProcessorPil, ViTImageProcessorPil

from training.starter import cards
from training.starter.sight import classifier, crops, detector, views
from training.starter.sight.evaluate import classified, detected, of_classifier, of_detector
from training.starter.sight.labels import CLASSES, KINDS, chinese
from training.starter.sight.pool import SHARD

LARGEST_BYTES = 6_000_000  # of both folders together
SOURCES = ("deployments/image/painter", "training/starter/sight")
CHINESE = "labels.zh.yaml"
ABOUT_HALF: Any = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_normalize": True}


def export_classifier(training: classifier.Run, to: Path, scenes: int) -> dict[str, Any]:
    """Writes the folder, and gives its evaluation."""
    _written(training.model, to, CLASSES)
    ViTImageProcessorPil(size=_square(crops.LOOK), **ABOUT_HALF).save_pretrained(to)
    report = classified(to, scenes)
    _told(training, to, report, of_classifier(report))
    return report


def export_detector(training: detector.Run, to: Path, scenes: int) -> dict[str, Any]:
    """Writes the folder, and gives its evaluation."""
    _written(training.model, to, KINDS)
    RTDetrImageProcessorPil(size=_square(views.LOOK), do_pad=False, **ABOUT_HALF).save_pretrained(to)
    report = detected(to, scenes)
    _told(training, to, report, of_detector(report))
    return report


def _written(model: Any, to: Path, labels: Sequence[str]) -> None:
    to.mkdir(parents=True, exist_ok=True)
    half = {name: each.half() if each.is_floating_point() else each for name, each in model.state_dict().items()}
    model.save_pretrained(to, state_dict=half)  # its configuration says float32, and so it is loaded
    words = yaml.safe_dump({label: chinese(label) for label in labels}, allow_unicode=True, sort_keys=False)
    (to / CHINESE).write_text(words, encoding="utf-8")


def _told(training: classifier.Run | detector.Run, to: Path, report: dict[str, Any], lines: Sequence[str]) -> None:
    """The evaluation and the card."""
    (to / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    at, config = training.progress, training.config
    parts = {
        "parameters": f"{sum(each.numel() for each in training.model.parameters()) / 1e6:.2f}",
        "minutes": f"{at.elapsed_s / 60:.1f}",
        "threads": str(torch.get_num_threads()),
        "steps": str(at.step),
        "pictures": str(at.pictures),
        "scenes": str(config.shards * SHARD),
        "seed": str(config.seed),
        "rate": str(config.learning_rate),
        "bf16": "bf16 autocast" if config.bf16 else "float32",
        "losses": ", ".join(f"{'/'.join(map(str, row[1:]))} ({row[0]})" for row in cards.spread(at.losses)),
        "source": cards.digest_of_sources(SOURCES),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "evaluation": "\n".join(lines),
        "hashes": cards.hashes(to),
    }
    card = Path(__file__).parent / f"card_{to.name}.md"
    (to / "README.md").write_text(cards.filled(card, parts), encoding="utf-8")


def check_size(*folders: Path) -> None:
    """`ValueError` when they are larger than allowed."""
    written = sum(file.stat().st_size for folder in folders for file in folder.iterdir())
    if written > LARGEST_BYTES:
        raise ValueError(f"{written} bytes, {LARGEST_BYTES} are allowed")


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}
