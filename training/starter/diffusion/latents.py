"""The latents of all pictures, made once: the diffusion model learns from nothing else."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from training.starter.diffusion.autoencoder import signed
from training.starter.diffusion.pictures import kept

FILE = "latents.safetensors"
BATCH = 16  # pictures


def latents(folder: Path, autoencoder: Any, number: int) -> Tensor:
    """(pictures, channels, 16, 16) in half precision, for the first pictures of the folder; made where there are too
    few."""
    path = folder / FILE
    made = load_file(path)["latents"] if path.exists() else None
    if made is None or len(made) < number:
        made = encoded(folder, autoencoder, number)
        save_file({"latents": made}, path)
    return made[:number]


@torch.inference_mode()
def encoded(folder: Path, autoencoder: Any, number: int) -> Tensor:
    pictures, parts = kept(folder)["pixels"][:number], []
    for at in range(0, number, BATCH):
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(autoencoder.encoder(signed(pictures[at : at + BATCH])))
    return torch.cat(parts).half().contiguous()


def scale(made: Tensor) -> float:
    """By which latents are multiplied before diffusion: to deviation 1."""
    return round(1 / made.float().std().item(), 4)
