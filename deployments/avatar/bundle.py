"""A trained avatar as a folder: its network, the recording that it plays in, and what it is and may be used for."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, model_validator
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from contracts.errors import InvalidInput, NotFound
from contracts.human import AvatarModel
from contracts.model import Contract
from deployments.avatar.field import HeadField
from deployments.avatar.reel import Pictures, read_reel, write_reel
from deployments.avatar.shape import FieldShape

MANIFEST = "manifest.json"
WEIGHTS, TRACK, FRAMES, BEHIND = "weights.safetensors", "track.safetensors", "frames.mp4", "behind.mp4"
VERSION: Literal[1] = 1
MOST_PIXELS = 400_000_000  # of all its frames: a minute of 512 by 512


class Manifest(Contract):
    """`files`: SHA-256 of each; `metrics`: of held-out frames, as training measured them."""

    format: Literal["troupe-avatar"] = "troupe-avatar"
    version: Literal[1] = VERSION
    model: AvatarModel
    preset: str
    width: int = Field(ge=16, le=4096)
    height: int = Field(ge=16, le=4096)
    frames: int = Field(ge=2)
    fps: Literal[25] = 25
    shape: FieldShape
    ear_sha256: str = Field("", description="Of weights that it hears with: `deployments.avatar.ears`.")
    made: datetime = Field(default_factory=lambda: datetime.now(UTC))
    licence: str = Field(min_length=1, description="Of the recording and what was learnt from it.")
    consent: str = Field("", description="That of the person who is seen, as the caller stated it; empty: not stated.")
    source_sha256: str = Field("", description="Of the film that it was trained from.")
    metrics: dict[str, FiniteFloat] = {}
    files: dict[str, str] = {}

    @model_validator(mode="after")
    def _bounded(self) -> "Manifest":
        if self.frames * self.height * self.width > MOST_PIXELS:
            raise ValueError("more frames than are held in memory")
        return self


@dataclass
class Track:
    """The recording's geometry, a row a frame. All boxes of a track have one size, so that frames are drawn together.

    `mask`: how much of a drawn box is shown, by its pixels; it falls to 0 at the edges.
    """

    camera: Tensor  # (3,) focal length, x and y of the principal point, in pixels
    poses: Tensor  # (n, 3, 4) from the head to the camera
    expression: Tensor  # (n, channels)
    boxes: Tensor  # (n, 2) int: left, top of what is drawn
    mask: Tensor  # (h, w) within 0–1


@dataclass
class Bundle:
    """`frames`: (n, height, width, RGB) as recorded; `behind`: the same without the head."""

    manifest: Manifest
    field: HeadField
    track: Track
    frames: Pictures
    behind: Pictures

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """`NotFound` where there is none, `InvalidInput` for one that is foreign, damaged or not whole."""
        manifest = read_manifest(folder)
        content = {name: _checked(folder, name, manifest.files.get(name, "")) for name in (WEIGHTS, TRACK)}
        for name in (FRAMES, BEHIND):
            _checked(folder, name, manifest.files.get(name, ""))
        try:
            field = HeadField(manifest.shape)
            field.load_state_dict(load_tensors(content[WEIGHTS]))
            track = Track(**load_tensors(content[TRACK]))
        except (SafetensorError, RuntimeError, TypeError) as error:
            raise InvalidInput("数字人模型的权重与清单不符。", param="model_param") from error
        size = (manifest.frames, manifest.height, manifest.width)
        _check(track, size, manifest.shape)
        return cls(manifest, field.eval(), track, read_reel(folder / FRAMES, size), read_reel(folder / BEHIND, size))

    def save(self, folder: Path) -> Manifest:
        """Write it into a folder; the manifest comes last, so that a bundle that has one is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: _small(each) for name, each in self.field.state_dict().items()}
        (folder / WEIGHTS).write_bytes(save_tensors(state))
        kept = {name: each.cpu().contiguous() for name, each in vars(self.track).items()}
        (folder / TRACK).write_bytes(save_tensors(kept))
        write_reel(folder / FRAMES, self.frames)
        write_reel(folder / BEHIND, self.behind)
        files = {name: digest(folder / name) for name in (WEIGHTS, TRACK, FRAMES, BEHIND)}
        manifest = self.manifest.model_copy(update={"files": files})
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        return manifest


def read_manifest(folder: Path) -> Manifest:
    """What a folder says of itself, nothing of it checked yet."""
    try:
        content: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Manifest.model_validate(content)
    except FileNotFoundError:
        raise NotFound("没有这个数字人模型，或训练尚未完成。", param="model_param") from None
    except (ValueError, OSError) as error:  # of JSON, of UTF-8, of the fields
        raise InvalidInput("不是本系统训练的数字人模型，或清单已损坏。", param="model_param") from error


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(folder: Path, name: str, sha256: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"数字人模型不完整：缺少 {name}。", param="model_param") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput(f"数字人模型已损坏：{name} 的校验和不符。", param="model_param")
    return content


def _check(track: Track, size: Sequence[int], shape: FieldShape) -> None:
    frames, height, width = size
    wanted = {"camera": (3,), "poses": (frames, 3, 4), "expression": (frames, shape.expression), "boxes": (frames, 2)}
    fits = all(tuple(getattr(track, name).shape) == each for name, each in wanted.items()) and track.mask.dim() == 2
    room = torch.tensor([width, height]) - torch.tensor(track.mask.shape[::-1]) if fits else None
    if room is None or not bool(((track.boxes >= 0) & (track.boxes <= room)).all()):
        raise InvalidInput("数字人模型的轨迹与清单不符。", param="model_param")


def _small(tensor: Tensor) -> Tensor:
    """Half precision is enough to draw with."""
    return (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()


def feather(height: int, width: int, edge: float = 0.12) -> NDArray[np.float32]:
    """(height, width): 1 inside, falling smoothly to 0 over the outer `edge` of the sides."""
    rows, columns = (np.abs((np.arange(side) + 0.5) / side * 2 - 1) for side in (height, width))
    fall = np.clip((1 - np.maximum(rows[:, None], columns[None])) / edge, 0, 1)
    return (fall * fall * (3 - 2 * fall)).astype(np.float32)
