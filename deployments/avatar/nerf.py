"""ER-NeRF and SyncTalk: heads in three dimensions, of bundles that our training makes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.avatar.engine import Heard, Pictures

if TYPE_CHECKING:
    from deployments.avatar.renderer import Renderer


class Nerf:
    """`device`: of PyTorch; empty: a GPU where there is one."""

    def __init__(self, device: str = "") -> None:
        self.device = device

    def load(self) -> None:
        import torch

        self.device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    def open(self, folder: Path) -> "Played":
        from deployments.avatar.bundle import Bundle
        from deployments.avatar.renderer import Renderer

        return Played(Renderer(Bundle.load(folder), self.device))

    def close(self) -> None:
        """Nothing is held beside the avatars that are open."""


class Played:
    def __init__(self, renderer: "Renderer") -> None:
        self.renderer = renderer
        bundle = renderer.bundle
        tensors = [renderer.behind, *renderer.field.state_dict().values(), *vars(bundle.track).values()]
        self.size_bytes = bundle.frames.nbytes + bundle.behind.nbytes + sum(each.nbytes for each in tensors)

    def render(self, heard: Heard, numbers: Sequence[int]) -> Pictures:
        return self.renderer.show(heard, [self.renderer.pose(number) for number in numbers])
