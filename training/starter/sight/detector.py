"""Train the starter detector.   python -m training.starter.sight.detector --minutes 12 --threads 1

It begins with what the classifier's training on the same folder has learnt of pictures. Running it again goes on where
it stopped; SIGTERM and SIGINT write a checkpoint and end it.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import ResNetConfig, RTDetrConfig, RTDetrForObjectDetection
from transformers.loss.loss_rt_detr import RTDetrLoss

from training.starter import command, trainer
from training.starter.sight.classifier import DEPTHS, SEED, WIDTHS
from training.starter.sight.dense import dense_loss
from training.starter.sight.labels import KINDS
from training.starter.sight.pool import Pool, pool
from training.starter.sight.views import Batch, Views
from training.starter.trainer import CHECKPOINT, Trainer, smoothed

WIDTH, QUERIES, LAYERS = 96, 60, 2
CLASSIFIER = "classifier"  # the folder's part that the classifier is trained in


@dataclass(frozen=True)
class Config(trainer.Config):
    minutes: float = 12
    batch: int = 16
    shards: int = 8  # of scenes
    learning_rate: float = 2e-3


@dataclass
class Progress(trainer.Progress):
    """`dense`: the loss of the places, `loss`: of what is told in the end."""

    pictures: int = 0
    dense: float = float("nan")
    losses: tuple[tuple[int, float, float], ...] = ()  # (step, loss, dense) now and then, for the model card


class Run(Trainer[Config, Progress, Batch]):
    def __init__(self, config: Config, scenes: Pool) -> None:
        torch.manual_seed(config.seed)
        self.scenes, self.model = scenes, fresh()
        self.told = RTDetrLoss(self.model.config)
        if (learnt := config.folder.parent / CLASSIFIER / CHECKPOINT).exists():
            begin_with(self.model, learnt)
        super().__init__(config, Progress(), self.model)

    def batches(self) -> Iterator[Batch]:
        return iter(Views(self.scenes, self.config.batch, self.config.seed, self.progress.index))

    def loss(self, batch: Batch) -> Tensor:
        at, seen = self.progress, self.model(batch.pixels)
        places = seen.enc_outputs_coord_logits.float().sigmoid()
        dense = dense_loss(seen.enc_outputs_class.float(), places, batch.labels)
        logits, boxes = seen.intermediate_logits.float(), seen.intermediate_reference_points.float()
        *before, last = (
            {"logits": logits[:, layer], "pred_boxes": boxes[:, layer]} for layer in range(logits.shape[1])
        )
        parts = self.told({**last, "auxiliary_outputs": before}, batch.labels)
        told = torch.stack(list(parts.values())).sum()
        at.loss, at.dense = smoothed(at.loss, told.item()), smoothed(at.dense, dense.item())
        return told + dense

    def count(self, batch: Batch) -> None:
        at = self.progress
        at.pictures, at.index = at.pictures + len(batch.labels), batch.index + 1
        if at.step % 50 == 0:
            at.losses = (*at.losses, (at.step, round(at.loss, 4), round(at.dense, 4)))


def fresh() -> Any:
    """An RT-DETR of narrow layers on the classifier's ResNet."""
    stages: Any = {"out_features": ["stage2", "stage3", "stage4"]}
    backbone = ResNetConfig(
        embedding_size=WIDTHS[0],
        hidden_sizes=WIDTHS,
        depths=DEPTHS,
        layer_type="basic",
        **stages,
    )
    config = RTDetrConfig(
        backbone_config=backbone.to_dict(),
        freeze_backbone_batch_norms=False,
        encoder_hidden_dim=WIDTH,
        encoder_in_channels=WIDTHS[1:],
        encoder_ffn_dim=2 * WIDTH,
        encoder_attention_heads=4,
        hidden_expansion=0.5,
        d_model=WIDTH,
        num_queries=QUERIES,
        decoder_in_channels=[WIDTH] * 3,
        decoder_ffn_dim=2 * WIDTH,
        decoder_layers=LAYERS,
        decoder_attention_heads=3,
        num_denoising=0,
        id2label=dict(enumerate(KINDS)),
        label2id={name: number for number, name in enumerate(KINDS)},
    )
    model: Any = RTDetrForObjectDetection(config)
    return model.to(memory_format=torch.channels_last)


def begin_with(model: nn.Module, checkpoint: Path) -> None:
    """The layers of the classifier in place of the detector's own."""
    kept: dict[str, Any] = torch.load(checkpoint, weights_only=True)["model"]
    prefix = "resnet."
    layers = {name.removeprefix(prefix): weights for name, weights in kept.items() if name.startswith(prefix)}
    backbone: Any = model.get_submodule("model.backbone.model")
    backbone.load_state_dict({name: weights for name, weights in layers.items() if name in backbone.state_dict()})


def started(config: Config) -> Run:
    """A run with the folder's scenes, which are drawn where it has none."""
    return Run(config, pool(config.folder.parent / "scenes", SEED, config.shards))


def arguments(description: str | None = __doc__) -> argparse.ArgumentParser:
    return command.arguments("starter-sight/detector", Config, description)


def run(given: argparse.Namespace) -> Run:
    """What the arguments ask for, as far as it came."""
    training = started(command.config_of(given, Config))
    command.see_through(training, command.printer(training.config, "pictures", _pictures, _dense))
    return training


def _pictures(at: Progress) -> int:
    return at.pictures


def _dense(at: Progress) -> str:
    return f"dense {at.dense:.4f}"


if __name__ == "__main__":
    run(arguments().parse_args())
