"""The loop that fits a model: one worker or several take the same steps, each with its part of a step's samples."""

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from contracts.errors import Cancelled, Conflict, EngineFailed
from contracts.platform import MANIFEST, Figures
from deployments.revisions import revision_of
from deployments.weights import folder as folder_of
from training.adapters import device_of
from training.checkpoints import Kept, restore, state_of
from training.lessons import order
from training.peers import Peers
from training.recipe import ClassifierConfig, Config, Outcome, Report, ShouldStop
from training.schedule import rate

CLIP = 1.0  # norm of the gradients
KEEP_S = 30.0  # between two checkpoints, at most

C = TypeVar("C", bound=Config | ClassifierConfig)
S = TypeVar("S")  # a sample


class Fit(ABC, Generic[C, S]):
    """What makes one gives it its `dataset`, `model`, `parameters`, `optimizer`, and samples that are `taught` and
    `held` out, and calls `prepare`. A group of the optimizer may learn `part` times as fast as asked."""

    WHAT: ClassVar[str]  # is learnt, in the words of its users
    MADE: ClassVar[str]
    dataset: Any
    model: Any
    parameters: list[Tensor]
    optimizer: torch.optim.Optimizer
    taught: Sequence[S]
    held: Sequence[S]

    def __init__(self, config: C, report: Report, should_stop: ShouldStop) -> None:
        """`should_stop` is asked before every batch."""
        self.config, self.report, self.should_stop = config, report, should_stop
        self.peers, self.device = Peers(), device_of()
        self.folder = folder_of(config.base, config.revision)
        self.step, self.loss, self.metrics = 0, 0.0, dict[str, float]()
        self._began_s = self._kept_s = time.monotonic()
        self._began_step = 0

    @property
    @abstractmethod
    def group(self) -> int:
        """Samples of a step."""

    @abstractmethod
    def weight(self, samples: Sequence[S]) -> int:
        """How many terms their loss sums."""

    @abstractmethod
    def summed(self, samples: Sequence[S]) -> Tensor:
        """The loss of samples that are being learnt."""

    @abstractmethod
    def begin_step(self, samples: Sequence[S]) -> None:
        """The model learns from here on; of the step's samples, some are other workers'."""

    @abstractmethod
    def judge(self) -> dict[str, float]:
        """`held_out_loss`, and what else is measured of samples that are held out."""

    @abstractmethod
    def untaught_loss(self) -> float:
        """The same loss of the base."""

    @abstractmethod
    def pace(self, spent_s: float) -> dict[str, float]:
        """How much is learnt in a second."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Files of the model as it is."""

    def end_epoch(self) -> None:
        """Before the next one begins."""

    def facts(self) -> dict[str, Any]:
        """More for the manifest."""
        return {}

    def check_dataset(self) -> None:
        if self.config.dataset_sha256 not in ("", self.dataset.sha256):
            raise Conflict("数据集在提交训练之后被更改，请重新提交。", param="dataset_path")

    def prepare(self, kept: Kept) -> None:
        """`kept` gives the checkpoints of a fingerprint."""
        self.checkpoints = kept(self.fingerprint)

    @property
    def steps(self) -> int:
        """Since this process began."""
        return self.step - self._began_step

    @property
    def epoch_steps(self) -> int:
        return math.ceil(len(self.taught) / self.group)

    @property
    def total_steps(self) -> int:
        return self.epoch_steps * self.config.epochs

    @cached_property
    def fingerprint(self) -> str:
        facts = [self.config.model_dump(exclude={"save_steps"}), self.dataset.sha256, self.revision]
        return json.dumps(facts, sort_keys=True)

    @cached_property
    def revision(self) -> str:
        return revision_of(self.folder, self.config.revision)

    def run(self) -> None:
        """To the last step. `Cancelled` when it should stop."""
        if state := self.peers.told(self.checkpoints.newest() if self.peers.leads else None):
            self._restore(state)
        else:
            self.metrics["base_loss"] = self.untaught_loss()
        self._began_s, self._began_step = time.monotonic(), self.step
        while self.step < self.total_steps:
            self._learn(self._samples_of(self.step))
            self.step += 1
            if self.step % self.epoch_steps == 0 and self.step < self.total_steps:
                self.end_epoch()
            self.report(self.figures())
            if self.step % self.config.save_steps == 0 or time.monotonic() - self._kept_s > KEEP_S:
                self._keep()

    def judged(self) -> Outcome:
        """The outcome, if the model is better than its base at what was held out."""
        self.metrics |= self.judge()
        self.report(self.figures())
        after, before = self.metrics["held_out_loss"], self.metrics["base_loss"]
        if not after < before:  # nor is what is no number
            raise EngineFailed(
                f"训练没有改进模型：留出{self.WHAT}的损失由 {before:.4f} 变为 {after:.4f}，{self.MADE}未保留。"
                f"请检查{self.WHAT}，或调整学习率后重试。"
            )
        return self.outcome("completed")

    def outcome(self, state: str) -> Outcome:
        manifest = self.facts() | {
            "base": self.config.base,
            "base_revision": self.revision,
            "dataset_sha256": self.dataset.sha256,
            "samples": self.dataset.count,
            "taught": len(self.taught),
            "held_out": len(self.held),
            "config": self.config.model_dump(),
            "state": state,
            "step": self.step,
            "metrics": self.metrics,
        }
        return Outcome(state=state, figures=self.figures(), manifest=manifest)

    def write(self, folder: Path, outcome: Outcome) -> None:
        """The model, whole when its manifest is there."""
        self.save(folder)
        (folder / MANIFEST).write_text(json.dumps(outcome.manifest, ensure_ascii=False, indent=1), encoding="utf-8")

    def figures(self) -> Figures:
        spent_s = time.monotonic() - self._began_s
        pace = self.pace(spent_s) if self.steps else {}
        left = {"eta_s": spent_s / self.steps * (self.total_steps - self.step)} if self.steps else {}
        finite = {name: value for name, value in (self.metrics | pace | left).items() if math.isfinite(value)}
        return Figures(
            current_epoch=min(self.step // self.epoch_steps + 1, self.config.epochs) if self.step else 0,
            total_epochs=self.config.epochs,
            current_step=self.step,
            total_steps=self.total_steps,
            loss=self.loss,
            learning_rate=self._rate(max(self.step - 1, 0)),
            metrics={name: round(value, 6) for name, value in finite.items()},
        )

    def batches(self, samples: Sequence[S]) -> Iterator[Sequence[S]]:
        """This worker's, as many as every other has; the last may be empty. `Cancelled` before the one to stop at."""
        mine = samples[self.peers.rank :: self.peers.count]
        most = math.ceil(len(samples) / self.peers.count)
        for start in range(0, most, self.config.batch_size):
            if any(self.peers.total(self.should_stop())):
                raise Cancelled("已取消")
            yield mine[start : start + self.config.batch_size]

    def _samples_of(self, step: int) -> list[S]:
        epoch, place = divmod(step, self.epoch_steps)
        chosen = order(len(self.taught), self.config.seed, epoch)[place * self.group : (place + 1) * self.group]
        return [self.taught[number] for number in chosen]

    def _learn(self, samples: Sequence[S]) -> None:
        """One step: the mean over all that is learnt, however it is spread over batches and workers."""
        torch.manual_seed((self.config.seed * 1_000_003 + self.step) * 101 + self.peers.rank)
        self.begin_step(samples)
        self.optimizer.zero_grad(set_to_none=True)
        weight, total = self.weight(samples), 0.0
        for batch in self.batches(samples):
            if batch:
                loss = self.summed(batch) / weight
                loss.backward()
                total += loss.item()
        (self.loss,) = self.peers.total(total)
        if not math.isfinite(self.loss):
            raise EngineFailed(f"训练发散：第 {self.step + 1} 步的损失不再是有限的数。请降低学习率后重试。")
        self.peers.add_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = group.get("part", 1.0) * self._rate(self.step)
        self.optimizer.step()

    def _rate(self, step: int) -> float:
        return rate(self.config.learning_rate, step, self.total_steps)

    def _keep(self) -> None:
        self._kept_s = time.monotonic()
        if self.peers.leads:
            state = state_of(self.parameters, self.optimizer)
            self.checkpoints.save(self.step, state | {"loss": self.loss, "metrics": self.metrics})

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.loss, self.metrics = state["step"], state["loss"], dict(state["metrics"])
        restore(state, self.parameters, self.optimizer)
