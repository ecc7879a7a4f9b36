"""Wan 2.2 (text and picture to film, 5B) and LTX-Video at the size of a stamp, each part of a real folder."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import T5Config, T5EncoderModel, T5TokenizerFast, UMT5Config, UMT5EncoderModel

WIDTH = 32  # of a text encoder
LETTERS = [chr(number) for number in range(33, 127)]


def wan(folder: Path, **options: Any) -> None:
    """`Wan-AI/Wan2.2-TI2V-5B-Diffusers`; `options` are its pipeline's."""
    torch.manual_seed(22)
    vae = AutoencoderKLWan(
        base_dim=3,
        decoder_base_dim=3,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    text = UMT5EncoderModel(UMT5Config(**_text()))
    WanPipeline(
        tokenizer=_tokenizer(512),
        text_encoder=text,
        vae=vae,
        scheduler=scheduler,
        transformer=transformer,
        **{"expand_timesteps": True} | options,
    ).save_pretrained(folder)


def ltx(folder: Path) -> None:
    """`Lightricks/LTX-Video`."""
    torch.manual_seed(9)
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1, 1, 1, 1),
        patch_size=4,
        encoder_causal=True,
        decoder_causal=False,
    )
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=WIDTH,
    )
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, base_shift=0.95, max_shift=2.05)
    text = T5EncoderModel(T5Config(**_text()))
    LTXPipeline(
        scheduler=scheduler, vae=vae, text_encoder=text, tokenizer=_tokenizer(128), transformer=transformer
    ).save_pretrained(folder)


def _text() -> dict[str, int]:
    return {"vocab_size": len(_pieces()), "d_model": WIDTH, "d_kv": 8, "d_ff": WIDTH, "num_layers": 1, "num_heads": 4}


def _pieces() -> list[tuple[str, float]]:
    """A sentencepiece model's, with no piece longer than a letter."""
    return [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>", "▁")] + [(letter, -2.0) for letter in LETTERS]


def _tokenizer(longest: int) -> T5TokenizerFast:
    return T5TokenizerFast(vocab=_pieces(), extra_ids=0, model_max_length=longest)
