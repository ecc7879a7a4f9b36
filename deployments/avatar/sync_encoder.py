"""The sound's half of SyncTalk's audio-visual encoder, shaped as Wav2Lip's (arXiv:2008.10010)."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from contracts.errors import InvalidInput

SIZE = 512
DAMAGED = (OSError, EOFError, ValueError, RuntimeError, TypeError, AttributeError, KeyError, UnpicklingError)  # a file
LAYERS = (  # channels, stride over bins and steps; every other block is added to what it is given
    (32, (1, 1), 2),
    (64, (3, 1), 2),
    (128, (3, 3), 2),
    (256, (3, 2), 1),
)


class SyncEncoder(nn.Sequential):
    """(n, 1, BINS, WIDTH) to (n, SIZE). Blocks are named by their numbers, as in `audio_visual_encoder.pth`."""

    def __init__(self) -> None:
        blocks: list[nn.Module] = []
        before = 1
        for channels, stride, further in LAYERS:
            blocks.append(Block(before, channels, 3, stride, 1))
            blocks += [Block(channels, channels, 3, 1, 1, added=True) for _ in range(further)]
            before = channels
        super().__init__(*blocks, Block(before, SIZE, 3, 1, 0), Block(SIZE, SIZE, 1, 1, 0))

    @classmethod
    def of(cls, path: Path) -> "SyncEncoder":
        """`InvalidInput` for what is not its weights."""
        model = cls()
        try:
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except DAMAGED as error:
            raise InvalidInput(f"{path.name} 不是 AVE 的权重文件。", param="custom_params") from error
        return model.eval().requires_grad_(False)

    def forward(self, windows: Tensor) -> Tensor:
        made: Tensor = super().forward(windows)  # type: ignore[no-untyped-call]
        return made.flatten(1)


class Block(nn.Module):
    def __init__(self, before: int, after: int, kernel: int, stride: Any, padding: int, added: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(nn.Conv2d(before, after, kernel, stride, padding), nn.BatchNorm2d(after))
        self.added = added

    def forward(self, given: Tensor) -> Tensor:
        made = self.conv_block(given)
        return torch.relu(made + given if self.added else made)
