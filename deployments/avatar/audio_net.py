"""From the sound around a frame to a few numbers: each of eight frames' windows by itself, then attention over them."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from deployments.avatar.shape import FieldShape
from deployments.avatar.sound import SPAN, WIDTH

SLOPE = 0.02
STEPS = {"mel": WIDTH, "ave": 1, "hubert": 2}  # of a window, by the ear


class AudioNet(nn.Module):
    """(n, SPAN, width, size) windows of an ear to (n, `shape.audio`): AudioNet and AudioAttNet of AD-NeRF
    (arXiv:2103.11078). What a network has heard already is read by layers alone, as in SyncTalk (arXiv:2311.17590)."""

    def __init__(self, shape: FieldShape) -> None:
        super().__init__()
        self.window = _convolved(shape.ear_size) if shape.ear == "mel" else _read(STEPS[shape.ear] * shape.ear_size)
        self.code = nn.Linear(64, shape.audio)
        narrowing = (shape.audio, 16, 8, 4, 2, 1)
        layers: list[nn.Module] = []
        for each, after in pairwise(narrowing):
            layers += [nn.Conv1d(each, after, 3, padding=1), nn.LeakyReLU(SLOPE)]
        self.attention = nn.Sequential(*layers, nn.Flatten(), nn.Linear(SPAN, SPAN), nn.Softmax(dim=1))

    def forward(self, windows: Tensor) -> Tensor:
        codes = self.code(self.window(windows.flatten(0, 1).transpose(1, 2)))
        codes = codes.unflatten(0, (-1, SPAN))  # (n, SPAN, size)
        return torch.einsum("ns,nsc->nc", self.attention(codes.transpose(1, 2)), codes)


def _convolved(size: int) -> nn.Sequential:
    channels = (size, 32, 32, 64, 64)
    layers: list[nn.Module] = []
    for each, after in pairwise(channels):
        layers += [nn.Conv1d(each, after, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * WIDTH // 16, 64), nn.LeakyReLU(SLOPE))


def _read(size: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for each, after in pairwise((size, 256, 128, 64)):
        layers += [nn.Linear(each, after), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)
