"""What a frame's sound is told by: its log-mel window, or a network that has heard many voices before this one.

The latter is for voices that an avatar was not taught. Its weights are not in a bundle: an avatar that was taught with
them is drawn where the same ones are.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn
from transformers import HubertModel

from contracts.avatar import EarName
from contracts.errors import InvalidInput, Unavailable
from contracts.settings import Settings
from deployments import weights
from deployments.avatar.sound import BINS, SAMPLES, Sound, windows
from deployments.avatar.sync_encoder import SIZE, SyncEncoder

STEP, KERNEL = 320, 400  # samples between two of HuBERT's vectors, and those that one is made of
EARLIER, LATER = 18, 4  # of its vectors around the two of a frame, which it hears them among
QUIET = 0.01  # what is softer than that is not made as loud as speech
BATCH = 64  # windows at once


class Ear(NamedTuple):
    """`windows`: 16 kHz mono within ±1 to (frames, width, `size`), each of the sound near its frame alone;
    `fingerprint`: of the weights; empty: it has none."""

    windows: Callable[[Sound], Sound]
    size: int
    fingerprint: str = ""


MEL = Ear(windows, BINS)


def opened(name: EarName, device: str = "cpu") -> Ear:
    """`Unavailable` where its weights are not, `InvalidInput` where they are not its own or may not be used."""
    return {"mel": lambda _: MEL, "ave": _ave, "hubert": _hubert}[name](device)


def _ave(device: str) -> Ear:
    """SyncTalk's audio-visual encoder: a mel window is a vector."""
    settings = Settings()
    if settings.commercial:
        raise InvalidInput("AVE 的权重仅限非商业用途，而本平台设为商业使用。", param="custom_params")
    if not settings.ave.is_file():
        raise Unavailable("本机没有 AVE 的权重：请将 TROUPE_AVE 设为 audio_visual_encoder.pth 的路径。")
    model = SyncEncoder.of(settings.ave).to(device)

    def heard(samples: Sound) -> Sound:
        found = torch.from_numpy(windows(samples)).transpose(1, 2)[:, None]  # (frames, 1, BINS, WIDTH)
        return _batched(model, found, device)[:, None]

    return Ear(heard, SIZE, _fingerprint(model))


def _hubert(device: str) -> Ear:
    """Two vectors a frame. It hears them among those of half a second, however much sound there is: so a frame does
    not depend on how a sound is cut."""
    folder = weights.folder(Settings().hubert)
    try:
        model = HubertModel.from_pretrained(folder).eval().requires_grad_(False).to(device)
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{folder} 不是 HuBERT 模型。", param="custom_params") from error
    vectors = lambda part: model(part).last_hidden_state[:, EARLIER : EARLIER + 2]  # noqa: E731

    def heard(samples: Sound) -> Sound:
        return _batched(vectors, torch.from_numpy(_pieces(samples)), device)

    return Ear(heard, model.config.hidden_size, _fingerprint(model))


def _pieces(samples: Sound) -> Sound:
    """(frames, samples): what HuBERT hears of each frame, as loud as it is used to. Around a recording it is silent."""
    frames = -(-len(samples) // SAMPLES)
    before, length = EARLIER * STEP, (EARLIER + 1 + LATER) * STEP + KERNEL
    padded = np.pad(samples, (before, frames * SAMPLES - len(samples) + length))
    pieces = sliding_window_view(padded, length)[: frames * SAMPLES : SAMPLES]
    centred = pieces - pieces.mean(axis=1, keepdims=True)
    return (centred / np.maximum(pieces.std(axis=1, keepdims=True), QUIET)).astype(np.float32)


@torch.inference_mode()
def _batched(model: Callable[[Tensor], Tensor], parts: Tensor, device: str) -> Sound:
    found = [model(part.to(device)).float().cpu() for part in parts.split(BATCH)]
    return torch.cat(found).numpy()


def _fingerprint(model: nn.Module) -> str:
    """Of its last matrix, whatever file it came from."""
    last = [each for each in model.state_dict().values() if each.dim() > 1][-1]
    return hashlib.sha256(last.float().cpu().numpy().tobytes()).hexdigest()
