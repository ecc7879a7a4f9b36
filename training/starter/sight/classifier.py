"""Train the starter classifier.   python -m training.starter.sight.classifier --minutes 4 --threads 1

Running it again on the same folder goes on where it stopped; SIGTERM and SIGINT write a checkpoint and end it.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import ResNetConfig, ResNetForImageClassification

from training.starter import command, trainer
from training.starter.sight.crops import Batch, Crops
from training.starter.sight.labels import CLASSES
from training.starter.sight.pool import Pool, pool
from training.starter.trainer import Trainer, smoothed

SEED = "scenes"  # of what is taught
WIDTHS, DEPTHS = [24, 48, 96, 128], [1, 2, 2, 2]


@dataclass(frozen=True)
class Config(trainer.Config):
    minutes: float = 4
    batch: int = 48
    shards: int = 8  # of scenes


@dataclass
class Progress(trainer.Progress):
    pictures: int = 0
    losses: tuple[tuple[int, float], ...] = ()  # (step, loss) now and then, for the model card


class Run(Trainer[Config, Progress, Batch]):
    def __init__(self, config: Config, scenes: Pool) -> None:
        torch.manual_seed(config.seed)
        self.scenes, self.model = scenes, fresh()
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[Batch]:
        return iter(Crops(self.scenes, self.config.batch, self.config.seed, self.progress.index))

    def loss(self, batch: Batch) -> Tensor:
        logits = self.model(batch.pixels).logits
        loss = cross_entropy(logits.float(), batch.labels, label_smoothing=0.05)
        self.progress.loss = smoothed(self.progress.loss, loss.item())
        return loss

    def count(self, batch: Batch) -> None:
        at = self.progress
        at.pictures, at.index = at.pictures + len(batch.labels), batch.index + 1
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4)))


def fresh() -> Any:
    """A ResNet-18 of narrow layers, that knows nothing."""
    config = ResNetConfig(
        embedding_size=WIDTHS[0],
        hidden_sizes=WIDTHS,
        depths=DEPTHS,
        layer_type="basic",
        id2label=dict(enumerate(CLASSES)),
        label2id={name: number for number, name in enumerate(CLASSES)},
    )
    model: Any = ResNetForImageClassification(config)
    return model.to(memory_format=torch.channels_last)


def started(config: Config) -> Run:
    """A run with the folder's scenes, which are drawn where it has none."""
    return Run(config, pool(config.folder.parent / "scenes", SEED, config.shards))


def arguments(description: str | None = __doc__) -> argparse.ArgumentParser:
    return command.arguments("starter-sight/classifier", Config, description)


def run(given: argparse.Namespace) -> Run:
    """What the arguments ask for, as far as it came."""
    training = started(command.config_of(given, Config))
    command.see_through(training, command.printer(training.config, "pictures", lambda at: at.pictures, lambda _: ""))
    return training


if __name__ == "__main__":
    run(arguments().parse_args())
