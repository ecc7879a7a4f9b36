"""What every avatar engine offers: avatars that are opened, and then drawn from what is heard."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (samples,) mono of 16 kHz, within ±1
Heard = NDArray[np.float32]  # (frames, SPAN, width, size): `deployments.avatar.sound.around`
Pictures = NDArray[np.uint8]  # (frames, height, width, RGB)


class Player(Protocol):
    """An avatar in memory, of `size_bytes`."""

    size_bytes: int

    def hear(self, samples: Samples, before: int, after: int) -> Heard:
        """What it draws from: of the frames of a sound, all but the first `before` and the last `after`."""
        ...

    def render(self, heard: Heard, numbers: Sequence[int]) -> Pictures:
        """A picture for each: of what is heard, in the pose of that number; poses of numbers that follow do too."""
        ...


class AvatarEngine(Protocol):
    def load(self) -> None: ...
    def open(self, folder: Path) -> Player:
        """`InvalidInput` for what is no avatar, or a damaged one."""
        ...

    def close(self) -> None: ...
