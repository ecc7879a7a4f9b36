"""Requests as one call of a diffusion pipeline takes them."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import torch
from PIL import Image

from contracts.image import ImageRequest

ALONE = {"prompt", "negative_prompt", "seed", "picture", "fit"}  # in which requests of one batch may differ


class Asked(NamedTuple):
    request: ImageRequest
    source: Image.Image | None  # the picture to change, at its size

    def kind(self) -> Hashable:
        """Those of one kind are drawn together. To XL, no negative prompt is not an empty one."""
        request = self.request
        shared = tuple(request.model_dump(exclude=ALONE).items())
        return shared, bool(request.negative_prompt), self.source is not None


def arguments(batch: list[Asked]) -> dict[str, Any]:
    """The requests in the words of diffusers."""
    request = batch[0].request
    least = min((1 + 1e-6) / request.steps, 1)  # one step at least: with none there is nothing to decode
    sources = [asked.source for asked in batch]
    negative = [asked.request.negative_prompt for asked in batch]
    return {
        "prompt": [asked.request.prompt for asked in batch],
        "negative_prompt": negative if request.negative_prompt else None,
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.steps,
        "guidance_scale": request.guidance,
        "generator": [torch.Generator("cpu").manual_seed(asked.request.seed) for asked in batch],
        **({"image": sources, "strength": max(request.strength, least)} if sources[0] else {}),
    }
