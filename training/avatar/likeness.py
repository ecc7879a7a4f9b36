"""LPIPS (arXiv:1801.03924): how unlike two pictures look, by what AlexNet makes of them."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from contracts.errors import InvalidInput, Unavailable
from contracts.settings import Settings
from deployments.avatar.sync_encoder import DAMAGED

BACKBONE = "alexnet-owt-7be5be79.pth"  # torchvision's
LINEAR = "alex.pth"  # of the package `lpips`, `weights/v0.1`
LEAST = 32  # pixels a side that AlexNet makes anything of
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of colours within ±1


class Lpips(nn.Module):
    """`features`: AlexNet's, up to the last that are compared; `weights`: of their channels."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
        )
        sizes = [each.out_channels for each in self.features if isinstance(each, nn.Conv2d)]
        self.weights = nn.ParameterList([torch.zeros(1, size, 1, 1) for size in sizes])
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))

    @classmethod
    def of(cls, folder: Path) -> "Lpips":
        """`Unavailable` without both files, `InvalidInput` for what is not its weights."""
        model = cls()
        try:
            backbone, linear = (
                torch.load(folder / name, map_location="cpu", weights_only=True) for name in (BACKBONE, LINEAR)
            )
            wanted = model.features.state_dict()
            model.features.load_state_dict({name: backbone[f"features.{name}"] for name in wanted})
            model.weights.load_state_dict(
                {str(level): linear[f"lin{level}.model.1.weight"] for level in range(len(model.weights))}
            )
        except FileNotFoundError as error:
            raise Unavailable(f"TROUPE_LPIPS 的文件夹中应有 {BACKBONE} 和 {LINEAR}。") from error
        except DAMAGED as error:
            raise InvalidInput("TROUPE_LPIPS 中的文件不是 LPIPS 的权重。", param="custom_params") from error
        return model.eval().requires_grad_(False)

    @property
    def fingerprint(self) -> str:
        whole = hashlib.sha256()
        for each in self.parameters():
            whole.update(each.detach().cpu().numpy().tobytes())
        return whole.hexdigest()

    def forward(self, seen: Tensor, truth: Tensor) -> Tensor:
        """A number, of pictures (n, 3, height, width) within 0–1 of at least `LEAST` pixels a side."""
        at, total = (torch.cat([seen, truth]) * 2 - 1 - self.shift) / self.scale, seen.new_zeros(())
        levels = iter(self.weights)
        for layer in self.features:
            at = layer(at)
            if isinstance(layer, nn.ReLU):
                one, other = normalize(at, eps=1e-10).chunk(2)
                total = total + (next(levels) * (one - other) ** 2).sum(dim=1).mean()
        return total


def opened(device: str = "cpu") -> Lpips | None:
    """None where nobody has named its weights."""
    folder = Settings().lpips
    return None if folder == Path() else Lpips.of(folder).to(device)
