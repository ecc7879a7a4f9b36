"""A small classifier that tells which things a picture shows. Trained apart, on pictures of its own.

python -m training.starter.diffusion.judge --folder /tmp/starter-diffusion-judge

It looks at 8 × 8 places and takes the surest of them. It learns from pictures that are blurred, noisy and mirrored too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, interpolate

from training.starter import command, trainer
from training.starter.diffusion.autoencoder import signed
from training.starter.diffusion.captions import JUDGED
from training.starter.diffusion.pictures import draw, kept
from training.starter.trainer import Trainer, smoothed

SIDE = 128  # pixels
WIDTHS = (24, 48, 64, 96)
SEED = 1_000_003  # of the pictures: far from any that a diffusion model learns from


class Seen(NamedTuple):
    pixels: Tensor  # (batch, 3, 128, 128), -1 to 1
    shown: Tensor  # (batch, things), 1.0 where it is there


@dataclass(frozen=True)
class Config(trainer.Config):
    seed: int = SEED
    steps: int | None = 1400
    learning_rate: float = 3e-3
    batch: int = 32
    pictures: int = 3600
    measured: int = 400  # of them: not learnt from, they choose the thresholds


class Judge(nn.Module):
    thresholds: Tensor  # (things,): what counts as seen

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True):
            for stride, wide in ((2, before), (1, after)):
                layers += [nn.Conv2d(wide, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(WIDTHS[-1], len(JUDGED), 3, padding=1))
        self.register_buffer("thresholds", torch.zeros(len(JUDGED)))

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, 3, 128, 128), -1 to 1, to logits (batch, things)."""
        places = self.layers(pixels).float().flatten(2)  # (batch, things, 64)
        return torch.logsumexp(places, 2) - 4

    @torch.inference_mode()
    def found(self, pictures: list[Image.Image]) -> list[set[str]]:
        """The names of what is seen in each."""
        small = [np.asarray(one.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for one in pictures]
        sure = self(signed(np.stack(small))) > self.thresholds
        return [{name for name, seen in zip(JUDGED, row, strict=True) if seen} for row in sure.tolist()]


class Run(Trainer[Config, trainer.Progress, Seen]):
    KERNELS = True

    def __init__(self, config: Config) -> None:
        torch.manual_seed(config.seed)
        self.model = Judge()
        draw(config.folder, config.seed, config.pictures, SIDE)
        self.pictures = kept(config.folder, SIDE)[: config.pictures]
        super().__init__(config, trainer.Progress(), self.model)

    def batches(self) -> Iterator[Seen]:
        for number in count(self.progress.index):
            rng = np.random.default_rng([self.config.seed, number])
            chosen = rng.integers(self.config.measured, len(self.pictures), self.config.batch)
            yield Seen(_worn(_pixels(self.pictures[chosen]), rng), _shown(self.pictures[chosen]))

    def loss(self, batch: Seen) -> Tensor:
        loss = binary_cross_entropy_with_logits(self.model(batch.pixels), batch.shown)
        self.progress.loss = smoothed(self.progress.loss, loss.item())
        return loss

    def count(self, batch: Seen) -> None:
        self.progress.index += 1

    @torch.inference_mode()
    def judge(self) -> Judge:
        """The trained one, each threshold where hits and false alarms balance best (F1)."""
        rows = self.pictures[: self.config.measured]
        self.model.eval()
        sure, shown = self.model(_pixels(rows)), _shown(rows) > 0
        for place in range(len(JUDGED)):
            told = {least: _f1(sure[:, place] > least, shown[:, place]) for least in torch.linspace(-3, 3, 25).tolist()}
            self.model.thresholds[place] = median(least for least, f1 in told.items() if f1 == max(told.values()))
        return self.model


def _f1(told: Tensor, true: Tensor) -> float:
    return float(2 * (told & true).sum() / (told.sum() + true.sum()).clamp(min=1))


def _pixels(rows: NDArray[np.void]) -> Tensor:
    return signed(rows["pixels"])


def _shown(rows: NDArray[np.void]) -> Tensor:
    return torch.from_numpy(np.array(rows["shown"])).float()


def _worn(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    """As pictures come out of a diffusion model: mirrored, moved, soft, noisy, in other colours; never alike."""
    if rng.random() < 0.5:
        pixels = pixels.flip(3)
    pixels = pixels.roll(tuple(rng.integers(-6, 7, 2)), (2, 3))
    if rng.random() < 0.4:
        pixels = interpolate(avg_pool2d(pixels, 2), scale_factor=2, mode="bilinear")
    strength = torch.from_numpy(rng.uniform((0.7, -0.15), (1.2, 0.15), (len(pixels), 2))).float()
    pixels = pixels * strength[:, :1, None, None] + strength[:, 1:, None, None]
    return pixels + 0.06 * float(rng.random()) * torch.from_numpy(rng.standard_normal(pixels.shape, np.float32))


def trained(config: Config) -> Judge:
    """Trains to the end, or goes on where the folder's training stopped."""
    run = Run(config)
    command.see_through(run, command.printer(config, "pictures", lambda at: at.index * config.batch, lambda _: ""))
    if run.progress.part(config) < 1:
        raise SystemExit("stopped before its end; the same command goes on")
    return run.judge()


if __name__ == "__main__":
    parser = command.arguments("starter-diffusion-judge", Config, __doc__)
    parser.set_defaults(steps=Config.steps)
    trained(command.config_of(parser.parse_args(), Config))
