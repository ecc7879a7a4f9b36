"""Films from a text, or from the picture that they begin with, by the library diffusers: Wan and LTX.

https://huggingface.co/docs/diffusers/api/pipelines/wan, https://huggingface.co/docs/diffusers/api/pipelines/ltx_video
"""

import gc
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from diffusers import (
    DiffusionPipeline,
    LTXImageToVideoPipeline,
    LTXPipeline,
    WanImageToVideoPipeline,
    WanPipeline,
)
from diffusers.utils import logging
from numpy.typing import NDArray
from PIL import Image, ImageOps

from contracts.errors import EngineFailed, InvalidInput, Unavailable
from contracts.model import Progress
from contracts.sizes import fitted
from contracts.video import ClipRequest
from deployments.memory import is_full
from deployments.pretrained import best_device
from deployments.reported import reported
from deployments.upright import upright
from deployments.video import footage
from deployments.weights import local

SIDE = 32  # pixels: the sides of what either kind draws are multiples
LEAST = 2 * SIDE
TURN_S = 1.0  # how often one that waits for its turn can leave
DRAWN = 0.9  # of the progress, when the frames are there
MOST_TOKENS = 512  # of a text, as Wan was taught


class VideoDiffusion:
    """One film at a time; `weights` is a diffusers folder or a Hub id.

    A model draws at its own rate, `fps`, and in sizes and lengths of its own grid: the next larger length is drawn and
    cut, and the nearest size brought to the one that is asked. The same request gives the same film on one device.
    """

    def __init__(
        self,
        weights: str,
        dtype: str = "",
        revision: str | None = None,
        fps: float = 16,
        longest: int = 1280,
        longest_s: float = 5,
        call: Mapping[str, Any] | None = None,
    ) -> None:
        """`dtype` by torch's name; empty: bfloat16 on a GPU, float32 on a CPU. `longest`: pixels of the longer side.

        `call`: what else its pipeline is called with, such as `guidance_scale` and `negative_prompt`.
        """
        self.weights, self.dtype, self.revision = weights, dtype, revision
        self.fps, self.longest, self.longest_s, self.call = fps, longest, longest_s, dict(call or {})
        self.turn = Lock()

    def load(self) -> None:
        """Load the folder once; both pipelines share it. `Unavailable`: it is no Wan or LTX, or not all is there."""
        logging.set_verbosity_error()  # its warnings quote prompts
        place = local(self.weights, self.revision or "") or self.weights
        device = best_device()
        dtype = getattr(torch, self.dtype or ("bfloat16" if device == "cuda" else "float32"))
        try:
            kind = str(DiffusionPipeline.load_config(place, revision=self.revision)["_class_name"])
            dtypes = {"default": dtype, "vae": torch.float32} if kind.startswith("Wan") else dtype
            loaded: Any = DiffusionPipeline.from_pretrained(place, dtype=dtypes, revision=self.revision).to(device)
        except OSError as error:  # so diffusers says that files are missing
            raise Unavailable(f"{self.weights!r} does not hold a whole model: {error}") from error
        self.text_to_video, self.image_to_video = _both(loaded)
        self.encoder: Any = WanPipeline(**_parts(loaded)) if kind.startswith("Wan") else None
        for pipe in filter(None, (self.text_to_video, self.image_to_video)):
            pipe.set_progress_bar_config(disable=True)

    def generate(self, request: ClipRequest, picture: Path | None, output: Path) -> Iterator[Progress]:
        """Progress after each step; 1.0 once the whole film is at `output`. Closed early, it leaves none.

        InvalidInput: a size or length that is beyond the model, a text or a picture where it takes only the other.
        EngineFailed: memory is out, or what came is no film.
        """
        self._check(request, picture)
        source = upright(picture.read_bytes()) if picture else None
        while not self.turn.acquire(timeout=TURN_S):
            yield Progress(fraction=0)
        try:
            yield from reported(partial(self._made, request, source, output))
        finally:
            self.turn.release()

    def close(self) -> None:
        """Let the weights go."""
        self.text_to_video = self.image_to_video = self.encoder = None

    def _check(self, request: ClipRequest, picture: Path | None) -> None:
        for name in ("width", "height"):
            if getattr(request, name) > self.longest:
                raise InvalidInput(f"这个模型生成的视频，宽和高最大 {self.longest}。", param=name)
        if request.duration_s > self.longest_s:
            raise InvalidInput(f"这个模型生成的视频最长 {self.longest_s:g} 秒。", param="duration")
        if picture and not self.image_to_video:
            raise InvalidInput("这个模型不能按图片生成视频。", param="picture")
        if not picture and not self.text_to_video:
            raise InvalidInput("这个模型只能按图片生成视频。", param="picture")

    def _made(
        self, request: ClipRequest, source: Image.Image | None, output: Path, report: Callable[[Progress], None]
    ) -> Progress:
        try:
            frames = self._drawn(request, source, report)
            footage.write(_shown(frames, report), self.fps, request, output)
        except (RuntimeError, MemoryError) as error:
            if not is_full(error):
                raise
            full = EngineFailed("内存或显存不足，生成不了这么大或这么长的视频，请减小尺寸或时长。")
        else:
            return Progress(fraction=1)
        gc.collect()
        torch.cuda.empty_cache()
        raise full

    def _drawn(
        self, request: ClipRequest, source: Image.Image | None, report: Callable[[Progress], None]
    ) -> NDArray[np.float32]:
        """(frames, rows, columns, 3), 0-1."""

        def step(pipe: Any, index: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
            if not torch.isfinite(values["latents"]).all():
                raise _no_film()
            report(Progress(fraction=DRAWN * (index + 1) / pipe.num_timesteps))
            return values

        pipe = self.image_to_video if source else self.text_to_video
        pipe.scheduler = pipe.scheduler.from_config(pipe.scheduler.config)  # some remember the film before
        width, height = fitted((request.width, request.height), LEAST, self.longest // SIDE * SIDE, SIDE)
        arguments = {
            "width": width,
            "height": height,
            "num_frames": self._count(pipe, request),
            "num_inference_steps": request.steps,
            "generator": torch.Generator("cpu").manual_seed(request.seed),
            **self.call,
            **self._said(request.prompt),
            **({"image": ImageOps.fit(source, (width, height), Image.Resampling.LANCZOS)} if source else {}),
            **({} if self.encoder else {"frame_rate": self.fps}),
        }
        frames = pipe(**arguments, output_type="np", callback_on_step_end=step).frames[0]
        if not np.isfinite(frames).all():
            raise _no_film()
        return np.asarray(frames)

    def _count(self, pipe: Any, request: ClipRequest) -> int:
        """Of the frames to draw: those of the time asked, and as many more as its autoencoder needs."""
        needed = math.floor((request.frames - 1) * self.fps / request.fps) + 1
        along = getattr(pipe, "vae_scale_factor_temporal", 0) or pipe.vae_temporal_compression_ratio
        return math.ceil((needed - 1) / along) * along + 1

    def _said(self, prompt: str) -> dict[str, Any]:
        """To Wan a text is given as its encoder reads it: the pipeline for pictures would need another library."""
        if not self.encoder:
            return {"prompt": prompt, "negative_prompt": self.call.get("negative_prompt", "")}
        with torch.no_grad():
            read = self.encoder.encode_prompt(
                prompt, self.call.get("negative_prompt", ""), max_sequence_length=MOST_TOKENS
            )
        return dict(zip(("prompt_embeds", "negative_prompt_embeds"), read, strict=True)) | {"negative_prompt": None}


def _both(loaded: Any) -> tuple[Any, Any]:
    """The pipelines that film a text and a picture with these weights; None: they cannot."""
    kind = type(loaded)
    if kind in (LTXPipeline, LTXImageToVideoPipeline):
        return LTXPipeline(**loaded.components), LTXImageToVideoPipeline(**loaded.components)
    if kind not in (WanPipeline, WanImageToVideoPipeline):
        raise Unavailable(f"{kind.__name__} is neither Wan nor LTX.")
    if loaded.config.expand_timesteps:  # Wan 2.2 5B
        return WanPipeline(**_parts(loaded)), WanImageToVideoPipeline(**_parts(loaded))
    return (loaded, None) if kind is WanPipeline else (None, loaded)


def _parts(loaded: Any) -> dict[str, Any]:
    """Of a Wan, what each of its pipelines is made of. (`from_pipe` would change their precision.)"""
    names = "tokenizer", "text_encoder", "vae", "scheduler", "transformer", "transformer_2"
    settings = {name: loaded.config[name] for name in ("boundary_ratio", "expand_timesteps")}
    return {name: getattr(loaded, name) for name in names} | settings


def _shown(frames: NDArray[np.float32], report: Callable[[Progress], None]) -> Iterator[footage.Pixels]:
    for number, pixels in enumerate(frames):
        report(Progress(fraction=DRAWN + (1 - DRAWN) * number / len(frames)))
        yield np.rint(pixels * 255).astype(np.uint8)


def _no_film() -> EngineFailed:
    return EngineFailed("模型没有算出视频（结果不是数），请换一组参数。")
