"""An avatar on its stage: frames of its recording, in which the part that speaks is drawn anew."""

import numpy as np
import torch
from torch import Tensor

from deployments.avatar.bundle import Bundle
from deployments.avatar.drawing import shown
from deployments.avatar.march import rays_of
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import Sound, around


class Renderer:
    """One bundle, ready to be drawn. It changes nothing of itself after that: threads may share it."""

    def __init__(self, bundle: Bundle, device: str = "cpu") -> None:
        self.bundle, self.device = bundle, torch.device(device)
        self.field = bundle.field.float().to(self.device).eval()
        track = bundle.track
        self.camera, self.poses = track.camera.float().to(self.device), track.poses.float().to(self.device)
        self.expression, self.boxes = track.expression.float().to(self.device), track.boxes.long().to(self.device)
        self.mask = track.mask.float().to(self.device)
        self.behind = torch.from_numpy(_cut(bundle.behind, track.boxes, track.mask)).to(self.device)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its frames."""
        return self.bundle.manifest.width, self.bundle.manifest.height

    def pose(self, number: int) -> int:
        """Which frame of the recording the film's frame `number` is in: it is played forward and back for ever."""
        turn = 2 * (len(self.poses) - 1)
        place = number % turn
        return min(place, turn - place)

    def render(self, windows: Sound, start: int) -> Pictures:
        """(n, height, width, RGB) of a whole utterance's windows, (n, width, size); the film's frames from `start`."""
        return self.show(around(windows), [self.pose(start + number) for number in range(len(windows))])

    def show(self, heard: Sound, recorded: list[int]) -> Pictures:
        """The same of windows that have their neighbours with them, on these frames of the recording."""
        pictures = self.bundle.frames[recorded]
        if len(heard):
            drawn = self.draw(torch.from_numpy(np.array(heard, np.float32)), recorded).cpu().numpy()
            self._paste(drawn, pictures, recorded)
        return pictures

    @torch.inference_mode()
    def draw(self, heard: Tensor, recorded: list[int]) -> Tensor:
        """(n, h, w, 3) uint8: the boxes of these frames of the recording, as they look with this sound."""
        rows = torch.tensor(recorded, device=self.device)
        height, width = self.mask.shape
        frames = self.field.frames(heard.to(self.device), self.expression[rows])
        rays = rays_of(self.poses[rows], self.camera, self._pixels(rows))
        return shown(self.field, rays, frames, self.behind[rows].flatten(0, 2)).view(-1, height, width, 3)

    def _pixels(self, rows: Tensor) -> Tensor:
        """(n, h * w, 2) of the boxes."""
        height, width = self.mask.shape
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        grid = torch.stack([x, y], dim=-1).flatten(0, 1).to(self.device)
        return (self.boxes[rows][:, None] + grid).float()

    def _paste(self, drawn: Pictures, pictures: Pictures, recorded: list[int]) -> None:
        """Onto the frames, in place, as much as the mask shows."""
        height, width = self.mask.shape
        keep = self.bundle.track.mask.float().numpy()[..., None]
        for picture, frame, row in zip(drawn, pictures, recorded, strict=True):
            left, top = (int(each) for each in self.bundle.track.boxes[row])
            box = frame[top : top + height, left : left + width]
            box[:] = np.rint(box + keep * (picture.astype(np.float32) - box))


def _cut(pictures: Pictures, boxes: Tensor, mask: Tensor) -> Pictures:
    """(n, h, w, 3): what of each picture is in its box."""
    height, width = mask.shape
    corners = boxes.tolist()
    return np.stack(
        [each[top : top + height, left : left + width] for each, (left, top) in zip(pictures, corners, strict=True)]
    )
