"""How a classifier is fitted.

All layers learn, the new last one ten times as fast; batch norms keep the statistics of what the base has seen, for
those of eight pictures are noise.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from contracts.errors import InvalidInput
from deployments.pretrained import pretrained
from store.labelled import Labelled
from training.adapters import bf16_pays
from training.checkpoints import Kept
from training.fit import Fit
from training.recipe import ClassifierConfig, Report, ShouldStop
from training.shelf import Shelf

HEAD = 10.0  # of the learning rate


class Training(Fit[ClassifierConfig, int]):
    """Its samples are places on the shelf."""

    WHAT, MADE = "图片", "模型"

    def __init__(
        self,
        config: ClassifierConfig,
        dataset: Iterable[Labelled],
        kept: Kept,
        scratch: Path,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        """`scratch`: a folder for pictures."""
        from transformers import AutoImageProcessor

        super().__init__(config, report, should_stop)
        self.processor = pretrained(AutoImageProcessor, config.base, config.revision)
        self.shelf = Shelf(dataset, self.processor, scratch / f"pictures-{self.peers.rank}")
        self.dataset = self.shelf.checked
        self.check_dataset()
        self.taught, self.held = self.shelf.split()
        torch.manual_seed(config.seed)
        self.model = classifier_of(self.folder, self.dataset.labels).to(self.device)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(_grouped(self.model), lr=config.learning_rate, weight_decay=0.01)
        self.prepare(kept)

    @property
    def group(self) -> int:
        return self.config.batch_size

    def weight(self, samples: Sequence[int]) -> int:
        return len(samples)

    def begin_step(self, samples: Sequence[int]) -> None:
        self.model.train()
        for module in self.model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

    def summed(self, samples: Sequence[int]) -> Tensor:
        """Over the pictures, each varied."""
        return self._told(samples, torch.default_generator)[0]

    def end_epoch(self) -> None:
        self.metrics |= self.judge()

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """The loss of a picture, how many are right, and the mean of all classes' F1."""
        self.model.eval()
        classes, loss = len(self.dataset.labels), 0.0
        right, told, there = torch.zeros(3, classes)
        for places in filter(None, self.batches(self.held)):
            summed, answers = self._told(places)
            loss += summed.item()
            labels, answers = self.shelf.labels[list(places)], answers.cpu()
            right += torch.bincount(labels[answers == labels], minlength=classes)
            told += torch.bincount(answers, minlength=classes)
            there += torch.bincount(labels, minlength=classes)
        loss, *counts = self.peers.total(loss, *right.tolist(), *told.tolist(), *there.tolist())
        right, told, there = torch.tensor(counts).view(3, classes)
        f1 = (2 * right / (told + there).clamp(min=1)).mean().item()
        held = len(self.held)
        return {"held_out_loss": loss / held, "accuracy": right.sum().item() / held, "f1_score": f1}

    def untaught_loss(self) -> float:
        return self.judge()["held_out_loss"]

    def pace(self, spent_s: float) -> dict[str, float]:
        return {"pictures_per_s": self.steps * self.group / spent_s}

    def facts(self) -> dict[str, Any]:
        return {"labels": self.dataset.labels}

    def save(self, folder: Path) -> None:
        """In transformers' layout."""
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)

    def _told(self, places: Sequence[int], varied: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The loss, summed; and what each is taken for: (places,)."""
        labels = self.shelf.labels[list(places)].to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16_pays(self.device)):
            logits = self.model(pixel_values=self.shelf.batch(places, varied).to(self.device)).logits
        return cross_entropy(logits.float(), labels, reduction="sum"), logits.argmax(-1)


def classifier_of(folder: Path, labels: Sequence[str]) -> Any:
    """The base with a last layer for these labels, which knows nothing yet."""
    from transformers import AutoModelForImageClassification

    named = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    try:
        return AutoModelForImageClassification.from_pretrained(
            folder, num_labels=len(labels), ignore_mismatched_sizes=True, dtype=torch.float32, **named
        )
    except ValueError as error:  # transformers says so of models that it does not know
        raise InvalidInput("这个模型的结构不支持这样训练。", param="base_model") from error


def _grouped(model: Any) -> list[dict[str, Any]]:
    """The layers that were there, and the last one; `part`: of the learning rate."""
    known = {id(each) for each in model.base_model.parameters()}
    parameters = list(model.parameters())
    return [
        {"params": [each for each in parameters if id(each) in known], "part": 1.0},
        {"params": [each for each in parameters if id(each) not in known], "part": HEAD},
    ]
