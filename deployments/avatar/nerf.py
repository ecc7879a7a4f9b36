"""ER-NeRF and SyncTalk: heads in three dimensions, of bundles that our training makes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import InvalidInput
from deployments.avatar.engine import Heard, Pictures, Samples
from deployments.avatar.sound import around

if TYPE_CHECKING:
    from deployments.avatar.bundle import Bundle
    from deployments.avatar.ears import Ear
    from deployments.avatar.renderer import Renderer


class Nerf:
    """`device`: of PyTorch; empty: a GPU where there is one. `compile`: a backend of PyTorch's compiler.
    With `inductor` the networks become kernels of their own (Triton's on a GPU) when an avatar is first drawn, which
    takes half a minute."""

    def __init__(self, device: str = "", compile: str = "") -> None:
        self.device, self.compile = device, compile
        self._ears: dict[str, Ear] = {}

    def load(self) -> None:
        import torch

        self.device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    def open(self, folder: Path) -> "Played":
        from deployments.avatar.bundle import Bundle
        from deployments.avatar.renderer import Renderer

        bundle = Bundle.load(folder)
        if self.compile:
            bundle.field.compile(backend=self.compile, dynamic=True)
        return Played(Renderer(bundle, self.device), self._ear(bundle))

    def close(self) -> None:
        """Nothing is held beside the avatars that are open."""

    def _ear(self, bundle: "Bundle") -> "Ear":
        """The one that it was taught with; those that have weights are opened once."""
        from deployments.avatar.ears import opened

        name = bundle.manifest.shape.ear
        ear = self._ears[name] = self._ears.get(name) or opened(name, self.device)
        if ear.fingerprint != bundle.manifest.ear_sha256:
            raise InvalidInput(f"这个数字人训练时用的 {name} 权重与本机的不同。", param="model_param")
        return ear


class Played:
    def __init__(self, renderer: "Renderer", ear: "Ear") -> None:
        self.renderer, self.ear = renderer, ear
        bundle = renderer.bundle
        tensors = [renderer.behind, *renderer.field.state_dict().values(), *vars(bundle.track).values()]
        self.size_bytes = bundle.frames.nbytes + bundle.behind.nbytes + sum(each.nbytes for each in tensors)

    def hear(self, samples: Samples, before: int, after: int) -> Heard:
        return around(self.ear.windows(samples), before, after)

    def render(self, heard: Heard, numbers: Sequence[int]) -> Pictures:
        return self.renderer.show(heard, [self.renderer.pose(number) for number in numbers])
