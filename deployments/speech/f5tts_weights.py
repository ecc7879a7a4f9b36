"""F5-TTS and Vocos out of their files. Sizes are read off the tensors; all else is as in F5TTS_v1_Base."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file

from contracts.errors import InvalidInput
from deployments.pretrained import best_device
from deployments.speech.f5tts_library import Library
from deployments.speech.f5tts_library import opened as library
from deployments.speech.world import Samples
from deployments.weights import folder

NAME, VOCABULARY = "F5TTS_v1_Base", "vocab.txt"  # of a repository with several models, this one
CONFIG, VOCODER = "config.yaml", "pytorch_model.bin"
RATE_HZ, MELS, HOP, WINDOW = 24_000, 100, 256, 1_024
HEAD = 64  # width of an attention head
PREFIX = "ema_model."  # what was learnt, averaged over the last steps


class Voice:
    """A model and its vocoder on one device."""

    def __init__(self, parts: Library, model: Any, vocoder: Any) -> None:
        self.parts, self.model, self.vocoder = parts, model, vocoder

    def sounded(
        self, reference: Samples, text: str, length: int, steps: int, guidance: float, sway: float, seed: int
    ) -> Samples:
        """What follows the reference when `text` says both; `length` frames with it. Not for two threads at once."""
        wave = torch.from_numpy(reference.astype(np.float32))[None].to(self.model.device)  # (1, samples)
        with torch.inference_mode():
            mels, _ = self.model.sample(
                cond=wave,
                text=self.parts.to_pinyin([text]),
                duration=length,
                steps=steps,
                cfg_strength=guidance,
                sway_sampling_coef=sway,
                seed=seed,
            )  # (1, frames, mels)
            made = mels[:, len(reference) // HOP :].float().transpose(1, 2)
            return self.vocoder.decode(made)[0].double().cpu().numpy()


def opened(weights: tuple[str, str], vocoder: tuple[str, str], device: str = "") -> Voice:
    """Each a folder or an id on a hub, and its revision."""
    parts, device = library(), device or best_device()
    place = folder(*weights, only=(f"{NAME}/*",))
    model = _model(parts, place / NAME if (place / NAME).is_dir() else place)
    half = torch.float16 if device.startswith("cuda") else torch.float32
    return Voice(parts, model.to(device, half).eval(), _vocoder(parts, folder(*vocoder)).to(device).eval())


def _model(parts: Library, place: Path) -> Any:
    found = sorted(place.glob("*.safetensors"))
    if not found or not (place / VOCABULARY).is_file():
        raise InvalidInput(f"{str(place)!r} holds no *.safetensors and {VOCABULARY} of F5-TTS.", param="weights")
    tokens = (place / VOCABULARY).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    numbers = {token: number for number, token in enumerate(tokens)}
    try:
        kept = load_file(found[-1])
        learnt = {name.removeprefix(PREFIX): tensor for name, tensor in kept.items() if name.startswith(PREFIX)}
        learnt = {name: tensor for name, tensor in learnt.items() if not name.startswith("mel_spec.")}
        network = parts.DiT(**_sizes(learnt), text_num_embeds=len(numbers), mel_dim=MELS)
        spectra = {"n_fft": WINDOW, "hop_length": HOP, "win_length": WINDOW}
        spectra |= {"n_mel_channels": MELS, "target_sample_rate": RATE_HZ}
        model = parts.CFM(
            network,
            odeint_kwargs={"method": "euler"},
            mel_spec_kwargs=spectra,
            vocab_char_map=numbers,
        )
        model.load_state_dict(learnt)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise InvalidInput(f"{found[-1].name} and {VOCABULARY} are no F5-TTS: {error}", param="weights") from error
    return model


def _sizes(tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Arguments of the transformer. What is no F5-TTS: `KeyError`."""
    block, text = "transformer.transformer_blocks.", "transformer.text_embed.text_blocks."
    inner, dim = tensors[f"{block}0.attn.to_q.weight"].shape
    return {
        "dim": dim,
        "heads": inner // HEAD,
        "dim_head": HEAD,
        "ff_mult": tensors[f"{block}0.ff.ff.0.0.weight"].shape[0] // dim,
        "depth": _count(tensors, block),
        "text_dim": tensors["transformer.text_embed.text_embed.weight"].shape[1],
        "conv_layers": _count(tensors, text),
    }


def _count(tensors: dict[str, torch.Tensor], prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in tensors if name.startswith(prefix)})


def _vocoder(parts: Library, place: Path) -> Any:
    """`config.yaml` names classes to make: those of Vocos alone are made."""
    if not (place / CONFIG).is_file() or not (place / VOCODER).is_file():
        raise InvalidInput(f"{str(place)!r} holds no {CONFIG} and {VOCODER} of Vocos.", param="vocoder")
    try:
        config = yaml.safe_load((place / CONFIG).read_text(encoding="utf-8"))
        classes = [str(config[part]["class_path"]) for part in ("feature_extractor", "backbone", "head")]
        if not all(name.startswith("vocos.") for name in classes):
            raise InvalidInput(f"{CONFIG} names {json.dumps(classes)}, which is not Vocos.", param="vocoder")
        vocoder = parts.Vocos.from_hparams(str(place / CONFIG))
        vocoder.load_state_dict(torch.load(place / VOCODER, map_location="cpu", weights_only=True))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RuntimeError, OSError) as error:
        raise InvalidInput(f"{str(place)!r} holds no Vocos: {error}", param="vocoder") from error
    return vocoder
