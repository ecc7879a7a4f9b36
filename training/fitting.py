"""How an adapter is fitted: a step's lessons, and the loss of each of their tokens."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from deployments.chat.prompting import template_of
from store.samples import Part, check, samples
from training.adapters import adapted, at_rest, base_of, bf16_pays, tokenizer_of
from training.checkpoints import Kept
from training.fit import Fit
from training.lessons import IGNORED, Lesson, Teacher, collated, learnt, split
from training.recipe import Config, Report, ShouldStop


class Training(Fit[Config, Lesson]):
    WHAT, MADE = "样本", "适配器"

    def __init__(
        self, config: Config, dataset: Sequence[Part], kept: Kept, report: Report, should_stop: ShouldStop
    ) -> None:
        super().__init__(config, report, should_stop)
        self.dataset = check(dataset)
        self.check_dataset()
        self.tokenizer = tokenizer_of(self.folder)
        model = base_of(self.folder, self.device, config.quantized)
        context = model.config.get_text_config().max_position_embeddings
        teacher = Teacher(self.tokenizer, template_of(config.template, self.tokenizer), min(config.max_length, context))
        self.taught, self.held = split(list(teacher.lessons(samples(dataset))))
        torch.manual_seed(config.seed)
        self.model = adapted(model, config.lora_r, config.lora_alpha, config.lora_dropout, config.quantized)
        self.parameters = [each for each in self.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate, weight_decay=0.0)
        self._tokens = 0
        self.prepare(kept)

    @property
    def group(self) -> int:
        return self.config.batch_size * self.config.gradient_accumulation_steps

    def weight(self, samples: Sequence[Lesson]) -> int:
        """Their tokens that are learnt."""
        return learnt(samples)

    def begin_step(self, samples: Sequence[Lesson]) -> None:
        self.model.train()
        self._tokens += sum(len(lesson.ids) for lesson in samples)

    def summed(self, samples: Sequence[Lesson]) -> Tensor:
        """Over the tokens that are learnt."""
        ids, mask, labels = collated(samples, self.tokenizer.eos_token_id, self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=bf16_pays(self.device)):
            logits = self.model(input_ids=ids, attention_mask=mask).logits  # (batch, length, vocabulary)
        said = logits[:, :-1].float().flatten(0, 1)
        return cross_entropy(said, labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """A token's loss, in the mean."""
        at_rest(self.model)
        mine = sum(self.summed(batch).item() for batch in self.batches(self.held) if batch)
        return {"held_out_loss": self.peers.total(mine)[0] / learnt(self.held)}

    def untaught_loss(self) -> float:
        with self.model.disable_adapter():
            return self.judge()["held_out_loss"]

    def pace(self, spent_s: float) -> dict[str, float]:
        return {"tokens_per_s": self._tokens / spent_s}

    def save(self, folder: Path) -> None:
        """The adapter."""
        self.model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)  # peft's empty form
