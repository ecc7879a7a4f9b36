"""Diffusion by the library diffusers: Stable Diffusion 1.5 and XL, and others that its automatic pipelines know.

https://huggingface.co/docs/diffusers/tutorials/autopipeline; the pipeline must take `callback_on_step_end`.
"""

import inspect
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
from diffusers.utils import logging
from PIL import Image, ImageOps

from contracts.errors import EngineFailed, InvalidInput
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from deployments.reported import reported
from deployments.upright import upright

MULTIPLE = 8  # pixels a side of a latent: other sizes cannot be drawn
TURN_S = 1.0  # how often one that waits for its turn can leave
FULL = "DefaultCPUAllocator"  # on a CPU, torch says in words only that memory is out


class Diffusion:
    """Draws from a text, or changes a picture, one request at a time; `weights` is a diffusers folder or a Hub id.

    The same request gives the same pixels on one device; its noise is drawn on the CPU, whatever the device.
    What a pipeline has no use for (some have no negative prompt) means nothing. CLIP reads 75 tokens of a prompt.
    """

    def __init__(self, weights: str, dtype: str = "", variant: str | None = None, revision: str | None = None) -> None:
        """`dtype` by torch's name; empty: float16 on a GPU, float32 on a CPU. `variant`: as in `*.fp16.safetensors`."""
        self.weights, self.dtype, self.variant, self.revision = weights, dtype, variant, revision
        self.turn = Lock()

    def load(self) -> None:
        """Load the folder once; both pipelines share it."""
        logging.set_verbosity_error()  # its warnings quote prompts
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = getattr(torch, self.dtype or ("float16" if device == "cuda" else "float32"))
        self.precision = dtype
        loaded = AutoPipelineForText2Image.from_pretrained(
            self.weights, dtype=dtype, variant=self.variant, revision=self.revision
        )
        self.text_to_image: Any = loaded.to(device)
        self.image_to_image: Any = _changing(self.text_to_image)
        for pipe in filter(None, (self.text_to_image, self.image_to_image)):
            pipe.set_progress_bar_config(disable=True)

    def generate(self, request: ImageRequest, picture: Path | None = None) -> Iterator[Progress | Picture]:
        """Progress after each step, and last the picture. Closing it stops the model within a step.

        `picture` is cut to the proportions asked; strength 0 gives it back, 1 draws from the text alone.
        InvalidInput: a side that is no multiple of 8, an unreadable picture. EngineFailed: memory is out, or what came
        is no picture.
        """
        for side in ("width", "height"):
            if getattr(request, side) % MULTIPLE:
                raise InvalidInput(f"宽和高须是 {MULTIPLE} 的倍数。", param=side)
        source = self._source(request, picture) if picture else None
        if source and request.strength == 0:
            yield _picture(source)
            return
        while not self.turn.acquire(timeout=TURN_S):
            yield Progress(fraction=0)
        try:
            yield from reported(partial(self._drawn, request, source if request.strength < 1 else None))
        finally:
            self.turn.release()

    def close(self) -> None:
        """Let the weights go."""
        self.text_to_image = self.image_to_image = None

    def _source(self, request: ImageRequest, picture: Path) -> Image.Image:
        if not self.image_to_image:
            raise InvalidInput("这个模型不能改图。", param="picture")
        return ImageOps.fit(upright(picture.read_bytes()), (request.width, request.height), Image.Resampling.LANCZOS)

    def _drawn(self, request: ImageRequest, source: Image.Image | None, report: Callable[[Progress], None]) -> Picture:
        """With a source, the changed one."""

        def step(pipe: Any, index: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
            if not torch.isfinite(values["latents"]).all():
                raise _no_picture()
            report(Progress(fraction=(index + 1) / pipe.num_timesteps))  # some schedulers take more steps than asked
            return values

        pipe = self.image_to_image if source else self.text_to_image
        pipe.scheduler = pipe.scheduler.from_config(pipe.scheduler.config)  # some remember the picture before
        if vae := getattr(pipe, "vae", None):
            vae.to(self.precision)  # XL's works in float32 for a while, and stays so when memory runs out meanwhile
        taken = inspect.signature(pipe.__call__).parameters
        arguments = {name: value for name, value in _arguments(request, source).items() if name in taken}
        try:
            return _picture(_image(pipe(**arguments, output_type="np", callback_on_step_end=step)))
        except (torch.OutOfMemoryError, MemoryError):
            raise _out_of_memory() from None
        except RuntimeError as error:
            if FULL not in str(error):
                raise
            raise _out_of_memory() from None


def _changing(pipe: Any) -> Any:
    """The pipeline that changes pictures with the same weights; None: there is none for this kind of model."""
    try:
        return AutoPipelineForImage2Image.from_pipe(pipe)
    except ValueError:
        return None


def _arguments(request: ImageRequest, source: Image.Image | None) -> dict[str, Any]:
    """The request in the words of diffusers."""
    least = min((1 + 1e-6) / request.steps, 1)  # one step at least: with none there is nothing to decode
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or None,  # to XL, no text is not an empty one
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.steps,
        "guidance_scale": request.guidance,
        "generator": torch.Generator("cpu").manual_seed(request.seed),
        **({"image": source, "strength": max(request.strength, least)} if source else {}),
    }


def _image(drawn: Any) -> Image.Image:
    if any(getattr(drawn, "nsfw_content_detected", None) or []):
        raise EngineFailed("生成的图片没有通过模型的安全检查，请换一种描述。")
    pixels = drawn.images[0]  # (height, width, 3), 0–1
    if not np.isfinite(pixels).all():
        raise _no_picture()
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


def _picture(image: Image.Image) -> Picture:
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(png=file.getvalue(), width=image.width, height=image.height)


def _no_picture() -> EngineFailed:
    return EngineFailed("模型没有算出图片（结果不是数），请换一组参数。")


def _out_of_memory() -> EngineFailed:
    return EngineFailed("内存或显存不足，画不出这么大的图片，请减小尺寸。")
