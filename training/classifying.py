"""The loop that fits a classifier: one worker or several take the same steps, each with its part of a step's pictures.

All layers learn, the new last one ten times as fast; batch norms keep the statistics of what the base has seen, for
those of eight pictures are noise.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from contracts.errors import Cancelled, Conflict, EngineFailed, InvalidInput
from contracts.platform import MANIFEST, Figures
from deployments.pretrained import pretrained
from deployments.revisions import revision_of
from deployments.weights import folder as folder_of
from store.labelled import Labelled
from training.adapters import bf16_pays, device_of
from training.checkpoints import Kept, restore, state_of
from training.lessons import order
from training.peers import Peers
from training.recipe import ClassifierConfig, Outcome, Report, ShouldStop
from training.schedule import rate
from training.shelf import Shelf

HEAD = 10.0  # of the learning rate
CLIP = 1.0  # norm of the gradients
KEEP_S = 30.0  # between two checkpoints, at most


class Training:
    """`kept` gives the checkpoints of a fingerprint; `scratch`: a folder for pictures; `should_stop` is asked often."""

    def __init__(
        self,
        config: ClassifierConfig,
        dataset: Iterable[Labelled],
        kept: Kept,
        scratch: Path,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        from transformers import AutoImageProcessor

        self.config, self.report, self.should_stop = config, report, should_stop
        self.peers, self.device = Peers(), device_of()
        self.processor = pretrained(AutoImageProcessor, config.base, config.revision)
        self.shelf = Shelf(dataset, self.processor, scratch / f"pictures-{self.peers.rank}")
        self.dataset = self.shelf.checked
        if config.dataset_sha256 not in ("", self.dataset.sha256):
            raise Conflict("数据集在提交训练之后被更改，请重新提交。", param="dataset_path")
        self.taught, self.held = self.shelf.split()
        torch.manual_seed(config.seed)
        self.model = classifier_of(folder_of(config.base, config.revision), self.dataset.labels).to(self.device)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(_grouped(self.model), lr=config.learning_rate, weight_decay=0.01)
        self.checkpoints = kept(self.fingerprint)
        self.step, self.loss, self.metrics = 0, 0.0, dict[str, float]()
        self._began_s = self._kept_s = time.monotonic()
        self._began_step = 0

    @property
    def epoch_steps(self) -> int:
        return math.ceil(len(self.taught) / self.config.batch_size)

    @property
    def total_steps(self) -> int:
        return self.epoch_steps * self.config.epochs

    @cached_property
    def fingerprint(self) -> str:
        facts = [self.config.model_dump(exclude={"save_steps"}), self.dataset.sha256, self.revision]
        return json.dumps(facts, sort_keys=True)

    @cached_property
    def revision(self) -> str:
        return revision_of(folder_of(self.config.base, self.config.revision), self.config.revision)

    def run(self) -> None:
        """To the last step, judged after every epoch. `Cancelled` when it should stop."""
        if state := self.peers.told(self.checkpoints.newest() if self.peers.leads else None):
            self._restore(state)
        else:
            self.metrics["base_loss"] = self._judge()["held_out_loss"]
        self._began_s, self._began_step = time.monotonic(), self.step
        while self.step < self.total_steps:
            self._learn(self._places_of(self.step))
            self.step += 1
            if self.step % self.epoch_steps == 0:
                self.metrics |= self._judge()
            self.report(self.figures())
            if self.step % self.config.save_steps == 0 or time.monotonic() - self._kept_s > KEEP_S:
                self._keep()

    def judged(self) -> Outcome:
        """The outcome, if it tells held-out pictures better than it did untaught."""
        after, before = self.metrics["held_out_loss"], self.metrics["base_loss"]
        if not after < before:  # nor is what is no number
            raise EngineFailed(
                f"训练没有改进模型：留出图片的损失由 {before:.4f} 变为 {after:.4f}，模型未保留。"
                "请检查图片，或调整学习率后重试。"
            )
        return self.outcome("completed")

    def outcome(self, state: str) -> Outcome:
        manifest = {
            "base": self.config.base,
            "base_revision": self.revision,
            "dataset_sha256": self.dataset.sha256,
            "samples": self.dataset.count,
            "labels": self.dataset.labels,
            "taught": len(self.taught),
            "held_out": len(self.held),
            "config": self.config.model_dump(),
            "state": state,
            "step": self.step,
            "metrics": self.metrics,
        }
        return Outcome(state=state, figures=self.figures(), manifest=manifest)

    def write(self, folder: Path, outcome: Outcome) -> None:
        """A model in transformers' layout, whole when its manifest is there."""
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)
        (folder / MANIFEST).write_text(json.dumps(outcome.manifest, ensure_ascii=False, indent=1), encoding="utf-8")

    def figures(self) -> Figures:
        spent_s, steps = time.monotonic() - self._began_s, self.step - self._began_step
        pace = {"pictures_per_s": steps * self.config.batch_size / spent_s} if steps else {}
        left = {"eta_s": spent_s / steps * (self.total_steps - self.step)} if steps else {}
        finite = {name: value for name, value in (self.metrics | pace | left).items() if math.isfinite(value)}
        return Figures(
            current_epoch=min(self.step // self.epoch_steps + 1, self.config.epochs) if self.step else 0,
            total_epochs=self.config.epochs,
            current_step=self.step,
            total_steps=self.total_steps,
            loss=self.loss,
            learning_rate=rate(self.config.learning_rate, max(self.step - 1, 0), self.total_steps),
            metrics={name: round(value, 6) for name, value in finite.items()},
        )

    def _places_of(self, step: int) -> list[int]:
        epoch, place = divmod(step, self.epoch_steps)
        chosen = order(len(self.taught), self.config.seed, epoch)[place * self.config.batch_size :]
        return [self.taught[number] for number in chosen[: self.config.batch_size]]

    def _learn(self, places: Sequence[int]) -> None:
        """One step: the mean over all its pictures, however they are spread over workers."""
        if any(self.peers.total(self.should_stop())):
            raise Cancelled("已取消")
        varied = torch.Generator().manual_seed((self.config.seed * 1_000_003 + self.step) * 101 + self.peers.rank)
        _teachable(self.model)
        self.optimizer.zero_grad(set_to_none=True)
        summed = 0.0
        if mine := places[self.peers.rank :: self.peers.count]:
            loss = self._loss(mine, varied)[0] / len(places)
            loss.backward()
            summed = loss.item()
        (self.loss,) = self.peers.total(summed)
        if not math.isfinite(self.loss):
            raise EngineFailed(f"训练发散：第 {self.step + 1} 步的损失不再是有限的数。请降低学习率后重试。")
        self.peers.add_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = group["part"] * rate(self.config.learning_rate, self.step, self.total_steps)
        self.optimizer.step()

    def _loss(self, places: Sequence[int], varied: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed over the pictures; and what each is taken for: (places,)."""
        labels = self.shelf.labels[list(places)].to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16_pays(self.device)):
            logits = self.model(pixel_values=self.shelf.batch(places, varied).to(self.device)).logits
        return cross_entropy(logits.float(), labels, reduction="sum"), logits.argmax(-1)

    @torch.no_grad()
    def _judge(self) -> dict[str, float]:
        """Of held-out pictures: the loss of one, how many are right, and the mean of all classes' F1."""
        self.model.eval()
        classes, loss = len(self.dataset.labels), 0.0
        right, told, there = torch.zeros(3, classes)
        for places in self._parts():
            summed, answers = self._loss(places)
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

    def _parts(self) -> Iterator[list[int]]:
        """The held-out pictures that this worker judges."""
        mine = self.held[self.peers.rank :: self.peers.count]
        for start in range(0, len(mine), self.config.batch_size):
            if self.peers.count == 1 and self.should_stop():  # several would wait for one another
                raise Cancelled("已取消")
            yield mine[start : start + self.config.batch_size]

    def _keep(self) -> None:
        self._kept_s = time.monotonic()
        if self.peers.leads:
            state = state_of(self.parameters, self.optimizer)
            self.checkpoints.save(self.step, state | {"loss": self.loss, "metrics": self.metrics})

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.loss, self.metrics = state["step"], state["loss"], dict(state["metrics"])
        restore(state, self.parameters, self.optimizer)


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


def _teachable(model: nn.Module) -> None:
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
