"""Pictures as a classifier takes them, decoded once: in a file, of which memory holds what is looked at."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from contracts.errors import InvalidInput, ServiceError
from deployments.upright import upright
from store.labelled import CheckedPictures, Labelled, check

HELD_OUT = 0.2  # of the different pictures of a class
MOST_HELD_OUT = 2_000
SHIFT, LIGHT = 0.08, 0.2  # of a picture's side; of its brightness


class Shelf:
    """`pixels`: (pictures, height, width, 3), of the size that `processor` makes them; `labels`: (pictures,)."""

    def __init__(self, dataset: Iterable[Labelled], processor: Any, file: Path) -> None:
        """One that does not decode is `InvalidInput`, with its name."""
        self.processor = processor
        self._names: list[str] = []
        self.keys: list[str] = []
        self._shape: tuple[int, ...] = ()
        with file.open("wb") as self._file:
            self.checked: CheckedPictures = check(self._shelved(dataset))
        self.pixels: NDArray[np.uint8] = np.memmap(file, np.uint8, "r", shape=(len(self.keys), *self._shape))
        numbers = {label: number for number, label in enumerate(self.checked.labels)}
        self.labels = torch.tensor([numbers[name] for name in self._names])

    def _shelved(self, dataset: Iterable[Labelled]) -> Iterator[Labelled]:
        for picture in dataset:
            pixels = self._looked_at(picture)
            self._shape = pixels.shape
            self._file.write(pixels.tobytes())
            self._names.append(picture.label)
            self.keys.append(picture.key)
            yield picture

    def _looked_at(self, picture: Labelled) -> NDArray[np.uint8]:
        """(height, width, 3), turned upright."""
        try:
            seen = upright(picture.content)
        except ServiceError as error:
            raise InvalidInput(f"{picture.name[:80]}：{error.message}", param="dataset_path") from None
        made = self.processor(seen, do_rescale=False, do_normalize=False, return_tensors="pt")["pixel_values"][0]
        return np.asarray(made.clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous())

    def split(self) -> tuple[list[int], list[int]]:
        """What is taught, and what is held out: of every class a part, equal pictures on one side."""
        held: set[str] = set()
        most = max(1, MOST_HELD_OUT // len(self.checked.labels))
        for label in range(len(self.checked.labels)):
            keys = sorted({key for key, number in zip(self.keys, self.labels.tolist(), strict=True) if number == label})
            held.update(keys[: min(max(1, round(len(keys) * HELD_OUT)), most)])
        taught = [place for place, key in enumerate(self.keys) if key not in held]
        return taught, [place for place, key in enumerate(self.keys) if key in held]

    def batch(self, places: Sequence[int], varied: torch.Generator | None = None) -> Tensor:
        """(places, 3, height, width) as the model takes them; `varied`: mirrored, shifted, in another light."""
        pixels = torch.from_numpy(self.pixels[list(places)]).permute(0, 3, 1, 2).float()
        if varied:
            pixels = torch.stack([_varied(each, varied) for each in pixels])
        pixels = pixels / 255
        if not getattr(self.processor, "do_normalize", True):
            return pixels
        mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in self._norm)
        return (pixels - mean) / std

    @property
    def _norm(self) -> tuple[list[float], list[float]]:
        return self.processor.image_mean, self.processor.image_std


def _varied(picture: Tensor, generator: torch.Generator) -> Tensor:
    """(3, height, width)."""
    mirror, light, *shift = torch.rand(4, generator=generator).tolist()
    across, down = (round((2 * part - 1) * SHIFT * side) for part, side in zip(shift, picture.shape[1:], strict=True))
    moved = torch.roll(picture, (across, down), (1, 2))
    lit = (moved * (1 + LIGHT * (2 * light - 1))).clamp(0, 255)
    return lit.flip(-1) if mirror < 0.5 else lit
