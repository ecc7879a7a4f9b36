"""Diffusion by the library diffusers: Stable Diffusion 1.5 and XL, and others that its automatic pipelines know.

https://huggingface.co/docs/diffusers/tutorials/autopipeline; the pipeline must take `callback_on_step_end`.
"""

import gc
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
from diffusers.utils import logging
from PIL import Image, ImageOps

from contracts.errors import EngineFailed, InvalidInput, Unavailable
from contracts.image import LONGEST, SIDE, ImageRequest, Picture
from contracts.model import Progress
from contracts.sizes import fitted
from deployments.image.asked import Asked, arguments
from deployments.image.batching import Batches, Seat
from deployments.image.results import enlarged, no_picture, outcome, picture_of
from deployments.image.schedulers import scheduler
from deployments.memory import is_full
from deployments.pretrained import best_device
from deployments.reported import Left
from deployments.upright import upright
from deployments.weights import local

LEAST = 64  # pixels a side


class Diffusion:
    """Draws from a text, or changes a picture; `weights` is a diffusers folder or a Hub id.

    Requests that ask for the same size, steps and so on are drawn in one call, each with its own noise: what comes is
    what would come alone. The same request gives the same pixels on one device; noise is drawn on the CPU, whatever the
    device. What a pipeline has no use for (some have no negative prompt) means nothing. CLIP reads 75 tokens.
    """

    def __init__(
        self,
        weights: str,
        dtype: str = "",
        variant: str | None = None,
        revision: str | None = None,
        batch: int = 8,
        longest: int = LONGEST,
        taught: int = LONGEST,
        loras: Mapping[str, str] | None = None,
    ) -> None:
        """`dtype` by torch's name; empty: float16 on a GPU, float32 on a CPU. `variant`: as in `*.fp16.safetensors`.

        `batch`: requests of one call; `longest`: pixels of the longer side; what is larger than `taught` is drawn so
        large and enlarged. `loras`: folders, files or Hub ids of LoRA weights, by the ids that requests name.
        """
        self.weights, self.dtype, self.variant, self.revision = weights, dtype, variant, revision
        self.longest, self.taught, self.loras = longest, taught, dict(loras or {})
        self.batches: Batches[Asked] = Batches(self._draw, Asked.kind, batch)

    def load(self) -> None:
        """Load the folder once; both pipelines share it. `Unavailable` when not all of a model is there."""
        logging.set_verbosity_error()  # its warnings quote prompts
        device = best_device()
        self.precision = getattr(torch, self.dtype or ("float16" if device == "cuda" else "float32"))
        named: dict[str, Any] = {"dtype": self.precision, "variant": self.variant, "revision": self.revision}
        place = local(self.weights, self.revision or "") or self.weights
        try:
            loaded = AutoPipelineForText2Image.from_pretrained(place, **named)
        except OSError as error:  # so diffusers says that files are missing
            raise Unavailable(f"{self.weights!r} does not hold a whole model: {error}") from error
        for name, weights in self.loras.items():
            loaded.load_lora_weights(local(weights) or weights, adapter_name=name)
        self.text_to_image: Any = loaded.to(device)
        self.image_to_image: Any = _changing(self.text_to_image)
        self.scheduler = loaded.scheduler
        for pipe in filter(None, (self.text_to_image, self.image_to_image)):
            pipe.set_progress_bar_config(disable=True)
        vae: Any = getattr(loaded, "vae", None)
        if hasattr(vae, "enable_slicing"):
            vae.enable_slicing()  # a batch needs no more memory to be decoded than one
        self.size_bytes = _bytes_of(loaded)

    def generate(self, request: ImageRequest, picture: Path | None = None) -> Iterator[Progress | Picture]:
        """Progress after each step, and last the picture. Closing it stops the model within a step, for this request.

        `picture` is cut to the proportions asked; strength 0 gives it back, 1 draws from the text alone.
        InvalidInput: a size, LoRA or scheduler that the model has not, an unreadable picture. EngineFailed: memory is
        out, or what came is no picture.
        """
        request = self._sized(request)
        if request.lora and request.lora not in self.loras:
            raise InvalidInput("这个模型没有这个 LoRA。", param="lora")
        scheduler(self.scheduler, request.scheduler)
        source = self._source(request, picture) if picture else None
        if source and request.strength == 0:
            yield picture_of(source)
            return
        asked = self._asked(request, source if request.strength < 1 else None)
        for item in self.batches.drawn(asked):
            yield enlarged(item, request) if isinstance(item, Picture) else item

    def close(self) -> None:
        """Let the weights go, and the memory of the device."""
        self.text_to_image = self.image_to_image = None
        gc.collect()
        torch.cuda.empty_cache()

    def _sized(self, request: ImageRequest) -> ImageRequest:
        size = request.width, request.height
        if request.fit:
            size = fitted(size, LEAST, min(self.longest, max(size)) // SIDE * SIDE, SIDE)
        for name, side in zip(("width", "height"), size, strict=True):
            if side % SIDE or side > self.longest:
                raise InvalidInput(f"宽和高须是 {SIDE} 的倍数，最大 {self.longest}。", param=name)
        return request.model_copy(update={"width": size[0], "height": size[1]})

    def _asked(self, request: ImageRequest, source: Image.Image | None) -> Asked:
        """At a size that the model was taught."""
        size = request.width, request.height
        if max(size) > self.taught:
            size = fitted(size, LEAST, self.taught // SIDE * SIDE, SIDE)
            source = source and source.resize(size, Image.Resampling.LANCZOS)
        return Asked(request.model_copy(update={"width": size[0], "height": size[1]}), source)

    def _source(self, request: ImageRequest, picture: Path) -> Image.Image:
        if not self.image_to_image:
            raise InvalidInput("这个模型不能改图。", param="picture")
        return ImageOps.fit(upright(picture.read_bytes()), (request.width, request.height), Image.Resampling.LANCZOS)

    def _draw(self, seats: list[Seat[Asked]]) -> None:
        """Together; where memory is not enough for that, in halves."""
        here = [seat for seat in seats if not _is_over(seat)]
        if not here or self._is_drawn(here):
            return
        gc.collect()
        torch.cuda.empty_cache()
        if len(here) == 1:
            here[0].end(EngineFailed("内存或显存不足，画不出这么大的图片，请减小尺寸。"))
            return
        middle = len(here) // 2
        self._draw(here[:middle])
        self._draw(here[middle:])

    def _is_drawn(self, seats: list[Seat[Asked]]) -> bool:
        """False when memory was not enough."""
        try:
            self._tell(seats, self._together(seats))
        except Left:
            pass
        except (RuntimeError, MemoryError) as error:
            if not is_full(error):
                raise
            return False
        return True

    def _together(self, seats: list[Seat[Asked]]) -> Any:
        """One call of the pipeline. `Left` when nobody waits for it any more."""

        def step(pipe: Any, index: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
            numbers = torch.isfinite(values["latents"]).flatten(1).all(1)  # (batch)
            values["latents"][~numbers] = 0  # what looks at the pictures of a batch takes numbers only
            for seat, finite in zip(seats, numbers.tolist(), strict=True):
                if not finite:
                    seat.end(no_picture())
                if not _is_over(seat):
                    seat.report((index + 1) / pipe.num_timesteps)  # some schedulers take more steps than asked
            if all(map(_is_over, seats)):
                raise Left
            return values

        first = seats[0].asked
        pipe = self.image_to_image if first.source else self.text_to_image
        pipe.scheduler = scheduler(self.scheduler, first.request.scheduler)
        if vae := getattr(pipe, "vae", None):
            vae.to(self.precision)  # XL's works in float32 for a while, and stays so when memory runs out meanwhile
        self._adapt(pipe, first.request)
        taken = inspect.signature(pipe.__call__).parameters
        asked = arguments([seat.asked for seat in seats])
        known = {name: value for name, value in asked.items() if name in taken}
        return pipe(**known, output_type="np", callback_on_step_end=step)

    def _adapt(self, pipe: Any, request: ImageRequest) -> None:
        if request.lora:
            pipe.enable_lora()
            pipe.set_adapters([request.lora], [request.lora_scale])
        elif self.loras:
            pipe.disable_lora()

    def _tell(self, seats: list[Seat[Asked]], drawn: Any) -> None:
        unsafe = getattr(drawn, "nsfw_content_detected", None) or [False] * len(seats)
        for seat, pixels, refused in zip(seats, drawn.images, unsafe, strict=True):  # (height, width, 3), 0–1
            seat.end(outcome(pixels, refused))


def _is_over(seat: Seat[Asked]) -> bool:
    """Nobody waits for it; it is told so."""
    if seat.left.is_set():
        seat.end()
    return seat.ended.is_set()


def _bytes_of(pipe: Any) -> int:
    """What its weights take."""
    networks = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
    tensors = [tensor for network in networks for tensor in (*network.parameters(), *network.buffers())]
    return sum(tensor.nbytes for tensor in tensors)


def _changing(pipe: Any) -> Any:
    """The pipeline that changes pictures with the same weights; None: there is none for this kind of model."""
    try:
        return AutoPipelineForImage2Image.from_pipe(pipe)
    except ValueError:
        return None
