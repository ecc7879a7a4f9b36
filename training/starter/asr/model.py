"""The network: a small Whisper, and in training a head on its encoder that names phonemes (CTC).

Joint CTC and attention: Kim, Hori, Watanabe 2017 (arXiv 1609.06773). Phonemes, as eSpeak names them, have one sound
each, which characters have not; so the encoder learns to hear before the decoder learns to write.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, ctc_loss, gelu
from transformers import WhisperConfig, WhisperForConditionalGeneration, WhisperTokenizer

from training.starter.asr.batches import Batch
from training.starter.asr.tokenizer import END, START, number
from training.starter.asr.windows import IGNORED

DECODED = 448  # places of the decoder, as many as faster-whisper asks for


class Recogniser(nn.Module):
    """`whisper` is what is exported. `unembed`: (width, phonemes and a blank), only for training."""

    def __init__(self, config: WhisperConfig, phonemes: int) -> None:
        super().__init__()
        self.whisper = WhisperForConditionalGeneration(config)
        self.unembed = nn.Linear(config.d_model, -(-(phonemes + 1) // 64) * 64)  # odd widths round differently by place

    def encode(self, features: Tensor) -> Tensor:
        """(batch, 80, frames) to (batch, frames / 2, width): Whisper's encoder for windows of any length."""
        encoder = self.whisper.model.encoder
        hidden = gelu(encoder.conv2(gelu(encoder.conv1(features)))).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            hidden = layer(hidden, None)
        return encoder.layer_norm(hidden)

    def decode(self, heard: Tensor, tokens: Tensor) -> Tensor:
        """The hidden states (batch, length, width) from which each next token is told."""
        return self.whisper.model.decoder(
            input_ids=tokens, encoder_hidden_states=heard, use_cache=False
        ).last_hidden_state


def configured(tokenizer: WhisperTokenizer, layers: tuple[int, int] = (4, 2), width: int = 192) -> WhisperConfig:
    """`layers`: of the encoder and of the decoder. Heads of 64."""
    end = number(tokenizer, END)
    return WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=width,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        encoder_attention_heads=max(1, width // 64),
        decoder_attention_heads=max(1, width // 64),
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_target_positions=DECODED,
        decoder_start_token_id=number(tokenizer, START),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )


def fresh(config: WhisperConfig, phonemes: int, seed: int) -> Recogniser:
    """Untrained; the same seed gives the same weights. What ends a residual branch starts small, and the decoder's
    places start as waves, so that late ones are not strangers."""
    torch.manual_seed(seed)
    model = Recogniser(config, phonemes)
    whisper = model.whisper.model
    with torch.no_grad():
        for part in (whisper.encoder, whisper.decoder):
            for layer in part.layers:
                for ending in (layer.self_attn.out_proj, layer.fc2):
                    nn.init.normal_(ending.weight, std=0.02 / (2 * len(part.layers)) ** 0.5)
        waves = whisper.encoder.embed_positions.weight[:DECODED]
        whisper.decoder.embed_positions.weight.copy_(0.03 * waves)
    return model


def losses_of(model: Recogniser, batch: Batch) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of the tokens that are told, and mean CTC loss of a phoneme."""
    heard = model.encode(batch.features)
    hidden = model.decode(heard, batch.tokens)
    asked = batch.labels != IGNORED
    told = cross_entropy(model.whisper.proj_out(hidden[asked]).float(), batch.labels[asked])
    known = batch.spoken >= 0
    if not known.any():
        return told, told.new_zeros(())
    named = model.unembed(heard[known]).float().log_softmax(-1).transpose(0, 1)  # (places, batch, phonemes)
    places, spoken = (batch.frames[known] + 1) // 2, batch.spoken[known]
    found = ctc_loss(named, batch.phonemes[known], places, spoken, reduction="sum", zero_infinity=True)
    return told, found / (spoken.sum() + 1)


@torch.inference_mode()
def greedy(model: Recogniser, features: Tensor, given: Tensor, most: int = 60) -> list[list[int]]:
    """The likeliest next token again and again. `given`: (batch, tokens) to begin with."""
    heard, tokens = model.encode(features), given
    end = model.whisper.config.eos_token_id
    done = torch.zeros(len(given), dtype=torch.bool)
    for _ in range(most):
        following = model.whisper.proj_out(model.decode(heard, tokens)[:, -1]).argmax(-1)
        following[done] = end
        tokens = torch.cat([tokens, following[:, None]], 1)
        done |= following == end
        if done.all():
            break
    return [row[len(given[0]) :].tolist() for row in tokens]


def size(model: Recogniser) -> int:
    """Parameters of what is exported."""
    return int(model.whisper.num_parameters())
