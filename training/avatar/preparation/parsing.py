"""Where a face parser has seen the head: pictures in the colours of ER-NeRF's and SyncTalk's data, BiSeNet's there."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput

HEAD = (255, 0, 0)  # blue, green, red; neck and shoulders have colours of their own
Mask = NDArray[np.bool_]  # (height, width)


def sha256_of(folder: Path) -> str:
    """Of all its pictures, so that others make the film ready anew."""
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.png")):
        whole.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


class Parsing:
    """A folder of `0.png`, `1.png` …, one for each frame of a film at 25 frames a second, each of the whole frame, in
    whatever size. `InvalidInput` where one is lacking, or is no picture."""

    def __init__(self, folder: Path, frames: int) -> None:
        self.folder, self.last = folder, frames - 1
        if not self._path(self.last).is_file():
            self.last -= 1  # programs do not agree on a film's last frame
        lacking = [row for row in range(self.last + 1) if not self._path(row).is_file()]
        if lacking or self.last < 0:
            name = self._path(max(lacking[:1], default=0)).name
            raise InvalidInput(f"面部分割缺少 {name}：视频有 {frames} 帧，每帧应有一张。", param="masks")

    def head(self, row: int, width: int, height: int) -> Mask:
        """Of the frame, as large as the film is."""
        path = self._path(min(row, self.last))
        painted = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if painted is None:
            raise InvalidInput(f"面部分割 {path.name} 不是图片。", param="masks")
        head = (painted == np.array(HEAD)).all(axis=2)
        if not head.any():
            raise InvalidInput(f"面部分割 {path.name} 中没有头部（BGR 为 255, 0, 0 的区域）。", param="masks")
        return cv2.resize(head.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)

    def _path(self, row: int) -> Path:
        return self.folder / f"{row}.png"
