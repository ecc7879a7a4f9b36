"""The networks: a text encoder in CLIP's layout, a UNet on 16 × 16 latents, and how they are taught.

The UNet works mostly on 8 × 8 places, which is what a CPU can train. In training a head on the text encoder tells what
a caption names: so it learns to read long before the UNet could teach it.
"""

from typing import Any, NamedTuple

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch.optim.swa_utils import AveragedModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.starter.diffusion.autoencoder import FACTOR
from training.starter.diffusion.captions import NAMES
from training.starter.diffusion.pictures import SIDE
from training.starter.diffusion.tokenizer import LENGTH

AVERAGED = 0.995  # of the average stays at each step
TEXT = 128  # width of the text encoder
TIMES = 1000  # steps from a picture to noise


class Batch(NamedTuple):
    latents: Tensor  # (batch, channels, 16, 16), about mean 0 and deviation 1
    noise: Tensor  # of the same shape
    times: Tensor  # (batch,), of 1,000: how noisy
    tokens: Tensor  # (batch, 40)
    names: Tensor  # (batch, names), 1.0 for what a caption names


class Losses(NamedTuple):
    drawn: Tensor  # mean squared error of the velocity
    named: Tensor  # mean cross-entropy of a name, in the sum over all


class Painting(nn.Module):
    """`networks`: what is taught; `average`: their running average, which is what is exported."""

    def __init__(self, tokenizer: CLIPTokenizer, latents: int, widths: tuple[int, int]) -> None:
        super().__init__()
        networks: dict[str, Any] = {"text_encoder": text_encoder(tokenizer), "unet": unet(latents, widths)}
        self.networks = nn.ModuleDict(networks)
        self.names = nn.Linear(TEXT, len(NAMES))
        self.average = AveragedModel(self.networks, avg_fn=_averaged).requires_grad_(False)
        self.scheduler: Any = scheduler()

    def losses(self, batch: Batch) -> Losses:
        """Velocity prediction: Salimans and Ho 2022 (arXiv 2202.00512)."""
        latents, noise, times = batch[:3]
        read = self.networks["text_encoder"](batch.tokens)
        noisy = self.scheduler.add_noise(latents, noise, times)
        with sdpa_kernel(SDPBackend.MATH):  # the other kernels' gradients take half of the time on a CPU
            told = self.networks["unet"](noisy, times, read.last_hidden_state).sample
        velocity = self.scheduler.get_velocity(latents, noise, times)
        named = binary_cross_entropy_with_logits(self.names(read.pooler_output).float(), batch.names)
        return Losses(mse_loss(told.float(), velocity), named * len(NAMES))


def text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT,
            intermediate_size=4 * TEXT,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            projection_dim=TEXT,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def unet(latents: int, widths: tuple[int, int]) -> UNet2DConditionModel:
    """`widths`: at 16 × 16 and at 8 × 8 places. Heads of 32."""
    return UNet2DConditionModel(
        sample_size=SIDE // FACTOR,
        in_channels=latents,
        out_channels=latents,
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=tuple(width // 32 for width in widths),  # diffusers' name for the number of heads
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT,
        use_linear_projection=True,
    )


def scheduler() -> DDIMScheduler:
    """A cosine that ends in noise alone (Lin et al. 2023, arXiv 2305.08891): else nights come out grey."""
    return DDIMScheduler(
        num_train_timesteps=TIMES,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
        clip_sample=False,
        steps_offset=1,
    )


def _averaged(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
    """Follows fast at first."""
    part = min(AVERAGED, (1 + int(steps)) / (10 + int(steps)))
    return torch.lerp(now, average, part)
