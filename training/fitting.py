"""The loop that fits an adapter: one worker or several take the same steps, each with its part of a step's lessons."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from contracts.errors import Cancelled, Conflict, EngineFailed
from contracts.platform import MANIFEST, Figures
from deployments.chat.prompting import template_of
from deployments.revisions import revision_of
from deployments.weights import folder as folder_of
from store.samples import Part, check, samples
from training.adapters import adapted, at_rest, base_of, bf16_pays, device_of, tokenizer_of
from training.checkpoints import Kept, restore, state_of
from training.lessons import IGNORED, Lesson, Teacher, collated, learnt, order, split
from training.peers import Peers
from training.recipe import Config, Outcome, Report, ShouldStop
from training.schedule import rate

CLIP = 1.0  # norm of the gradients
KEEP_S = 30.0  # between two checkpoints, at most


class Training:
    """`kept` gives the checkpoints of a fingerprint; `should_stop` is asked before every batch."""

    def __init__(
        self,
        config: Config,
        dataset: Sequence[Part],
        kept: Kept,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        self.config, self.report, self.should_stop = config, report, should_stop
        self.peers, self.device = Peers(), device_of()
        self.folder = folder_of(config.base, config.revision)
        self.dataset = check(dataset)
        if config.dataset_sha256 not in ("", self.dataset.sha256):
            raise Conflict("数据集在提交训练之后被更改，请重新提交。", param="dataset_path")
        self.tokenizer = tokenizer_of(self.folder)
        model = base_of(self.folder, self.device, config.quantized)
        context = model.config.get_text_config().max_position_embeddings
        teacher = Teacher(self.tokenizer, template_of(config.template, self.tokenizer), min(config.max_length, context))
        self.taught, self.held = split(list(teacher.lessons(samples(dataset))))
        torch.manual_seed(config.seed)
        self.model = adapted(model, config.lora_r, config.lora_alpha, config.lora_dropout, config.quantized)
        self.parameters = [each for each in self.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate, weight_decay=0.0)
        self.checkpoints = kept(self.fingerprint)
        self.step, self.loss, self.metrics = 0, 0.0, dict[str, float]()
        self._began_s = self._kept_s = time.monotonic()
        self._began_step = self._tokens = 0

    @property
    def group(self) -> int:
        """Lessons of a step."""
        return self.config.batch_size * self.config.gradient_accumulation_steps

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
            with self.model.disable_adapter():
                self.metrics["base_loss"] = self._held_out_loss()
        self._began_s, self._began_step = time.monotonic(), self.step
        while self.step < self.total_steps:
            self._learn(self._lessons_of(self.step))
            self.step += 1
            self.report(self.figures())
            if self._is_due():
                self._keep()

    def judged(self) -> Outcome:
        """The outcome, if the adapter is better than its base at what was held out."""
        after = self.metrics["held_out_loss"] = self._held_out_loss()
        before = self.metrics["base_loss"]
        self.report(self.figures())
        if not after < before:  # nor is what is no number
            raise EngineFailed(
                f"训练没有改进模型：留出样本的损失由 {before:.4f} 变为 {after:.4f}，适配器未保留。"
                "请检查样本，或降低学习率后重试。"
            )
        return self.outcome("completed")

    def outcome(self, state: str) -> Outcome:
        manifest = {
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
        """The adapter, whole when its manifest is there."""
        self.model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # peft's empty form
        (folder / MANIFEST).write_text(json.dumps(outcome.manifest, ensure_ascii=False, indent=1), encoding="utf-8")

    def figures(self) -> Figures:
        spent_s, steps = time.monotonic() - self._began_s, self.step - self._began_step
        pace = {"tokens_per_s": self._tokens / spent_s} if steps else {}
        left = {"eta_s": spent_s / steps * (self.total_steps - self.step)} if steps else {}
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

    def _lessons_of(self, step: int) -> list[Lesson]:
        epoch, place = divmod(step, self.epoch_steps)
        chosen = order(len(self.taught), self.config.seed, epoch)[place * self.group : (place + 1) * self.group]
        return [self.taught[number] for number in chosen]

    def _learn(self, lessons: Sequence[Lesson]) -> None:
        """One step: the mean over all its tokens, however they are spread over batches and workers."""
        torch.manual_seed((self.config.seed * 1_000_003 + self.step) * 101 + self.peers.rank)  # of the dropout
        count = learnt(lessons)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        summed = 0.0
        for batch in self._batches(lessons):
            if batch:
                loss = self._loss(batch) / count
                loss.backward()
                summed += loss.item()
        (self.loss,) = self.peers.total(summed)
        if not math.isfinite(self.loss):
            raise EngineFailed(f"训练发散：第 {self.step + 1} 步的损失不再是有限的数。请降低学习率后重试。")
        self.peers.add_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        self.optimizer.step()
        self._tokens += sum(len(lesson.ids) for lesson in lessons)

    def _batches(self, lessons: Sequence[Lesson]) -> Iterator[Sequence[Lesson]]:
        """This worker's, as many as every other has; the last may be empty. `Cancelled` before the one to stop at."""
        mine = lessons[self.peers.rank :: self.peers.count]
        most = math.ceil(len(lessons) / self.peers.count)
        for start in range(0, most, self.config.batch_size):
            if any(self.peers.total(self.should_stop())):
                raise Cancelled("已取消")
            yield mine[start : start + self.config.batch_size]

    def _loss(self, lessons: Sequence[Lesson]) -> Tensor:
        """Summed over the tokens that are learnt."""
        ids, mask, labels = collated(lessons, self.tokenizer.eos_token_id, self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16_pays(self.device)):
            logits = self.model(input_ids=ids, attention_mask=mask).logits  # (batch, length, vocabulary)
        said = logits[:, :-1].float().flatten(0, 1)
        return cross_entropy(said, labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")

    @torch.no_grad()
    def _held_out_loss(self) -> float:
        """A token's, in the mean."""
        at_rest(self.model)
        mine = sum(self._loss(batch).item() for batch in self._batches(self.held) if batch)
        return self.peers.total(mine)[0] / learnt(self.held)

    def _rate(self, step: int) -> float:
        return rate(self.config.learning_rate, step, self.total_steps)

    def _is_due(self) -> bool:
        return self.step % self.config.save_steps == 0 or time.monotonic() - self._kept_s > KEEP_S

    def _keep(self) -> None:
        self._kept_s = time.monotonic()
        if self.peers.leads:
            state = state_of(self.parameters, self.optimizer)
            self.checkpoints.save(self.step, state | {"loss": self.loss, "metrics": self.metrics})

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.loss, self.metrics = state["step"], state["loss"], dict(state["metrics"])
        restore(state, self.parameters, self.optimizer)
