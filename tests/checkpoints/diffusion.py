"""Stable Diffusion 1.5 and XL at the size of a stamp: each part of a real folder, by the library's own writers."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

WIDTH = 32  # of a text encoder
NOISE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def stable_diffusion(folder: Path) -> None:
    """`runwayml/stable-diffusion-v1-5`, its safety checker too, which finds nothing unsafe."""
    torch.manual_seed(15)
    StableDiffusionPipeline(
        vae=_vae(0.18215),
        text_encoder=CLIPTextModel(_text()),
        tokenizer=_tokenizer(),
        unet=_unet(cross_attention_dim=WIDTH),
        scheduler=PNDMScheduler(**NOISE, steps_offset=1, skip_prk_steps=True, set_alpha_to_one=False),
        safety_checker=_safety_checker(),
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    ).save_pretrained(folder)
    _as_published(folder)


def stable_diffusion_xl(folder: Path) -> None:
    """`stabilityai/stable-diffusion-xl-base-1.0`."""
    torch.manual_seed(10)
    StableDiffusionXLPipeline(
        vae=_vae(0.13025),
        text_encoder=CLIPTextModel(_text()),
        text_encoder_2=CLIPTextModelWithProjection(_text(hidden_act="gelu")),
        tokenizer=_tokenizer(),
        tokenizer_2=_tokenizer(),
        unet=_unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + WIDTH,
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(**NOISE, steps_offset=1, timestep_spacing="leading"),
    ).save_pretrained(folder)
    _as_published(folder)


def _as_published(folder: Path) -> None:
    """The files and names of the folders on the Hub, which older versions of the libraries wrote."""
    for tokenizer in folder.glob("tokenizer*"):
        (tokenizer / "tokenizer.json").unlink()
        (tokenizer / "vocab.json").write_text(json.dumps(_vocabulary()), encoding="utf-8")
        (tokenizer / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    index = folder / "model_index.json"
    index.write_text(index.read_text(encoding="utf-8").replace("CLIPImageProcessorPil", "CLIPImageProcessor"), "utf-8")


def _unet(**options: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=(2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **options,
    )


def _vae(scaling_factor: float) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        scaling_factor=scaling_factor,
    )


def _text(**options: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=WIDTH,
        bos_token_id=0,  # as in the real files: 2 makes the encoder look for the highest token, the end's
        eos_token_id=2,
        **options,
    )


def _vocabulary() -> dict[str, int]:
    letters = sorted(ByteLevel.alphabet())
    return {token: place for place, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters), *SPECIAL])}


def _tokenizer() -> CLIPTokenizer:
    """CLIP's, with no word longer than a letter."""
    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=77)


def _safety_checker() -> StableDiffusionSafetyChecker:
    layers = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}
    seen = layers | {"image_size": 32, "patch_size": 16}
    return StableDiffusionSafetyChecker(CLIPConfig(text_config=layers, vision_config=seen, projection_dim=16))
