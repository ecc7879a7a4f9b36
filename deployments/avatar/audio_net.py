"""From the sound around a frame to a few numbers: convolutions over each window, attention over eight frames."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from deployments.avatar.sound import AFTER, BEFORE, BINS, WIDTH

SPAN = BEFORE + 1 + AFTER  # frames
SLOPE = 0.02


class AudioNet(nn.Module):
    """(n, SPAN, WIDTH, BINS) log-mel windows to (n, size): AudioNet and AudioAttNet of AD-NeRF, arXiv:2103.11078."""

    def __init__(self, size: int) -> None:
        super().__init__()
        channels = (BINS, 32, 32, 64, 64)
        layers: list[nn.Module] = []
        for each, after in pairwise(channels):
            layers += [nn.Conv1d(each, after, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        self.window = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * WIDTH // 16, 64), nn.LeakyReLU(SLOPE))
        self.code = nn.Linear(64, size)
        narrowing = (size, 16, 8, 4, 2, 1)
        layers = []
        for each, after in pairwise(narrowing):
            layers += [nn.Conv1d(each, after, 3, padding=1), nn.LeakyReLU(SLOPE)]
        self.attention = nn.Sequential(*layers, nn.Flatten(), nn.Linear(SPAN, SPAN), nn.Softmax(dim=1))

    def forward(self, windows: Tensor) -> Tensor:
        codes = self.code(self.window(windows.flatten(0, 1).transpose(1, 2)))
        codes = codes.unflatten(0, (-1, SPAN))  # (n, SPAN, size)
        return torch.einsum("ns,nsc->nc", self.attention(codes.transpose(1, 2)), codes)
