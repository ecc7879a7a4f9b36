"""The network: a Llama of 6.7 million parameters, 13.4 MB in bf16, which vLLM, transformers and peft take as it is.

Not the Qwen2 layout: for that one `AutoTokenizer` ignores a tokenizer of one's own and splits words in Qwen's way.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training.starter.lm.copying import teach_copying
from training.starter.lm.tokenizer import CONTEXT

THETA = 1e6  # base of the rotary embedding: of a head's places half hardly turn over a thousand tokens
BITS = 4  # of a mantissa's seven: the loss on unseen prompts is the same to a thousandth; git packs it smaller
LARGEST_BYTES = 16_000_000  # of weights on disk


def configured(tokenizer: PreTrainedTokenizerFast, layers: int = 6, width: int = 256) -> LlamaConfig:
    """Heads of 64, the size that every attention kernel knows; tied embeddings, so that a token that was never an
    answer can be one. Biases let a head look at the place before this one whatever stands here, as copying does."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
        max_position_embeddings=CONTEXT,
        attention_bias=True,
        rope_parameters={"rope_type": "default", "rope_theta": THETA},
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        use_cache=True,
    )


def fresh(config: LlamaConfig, seed: int) -> LlamaForCausalLM:
    """Untrained; the same seed gives the same weights. What ends a residual branch starts small, tokens start far from
    each other, and where there is room for it two layers know how to copy."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    torch.nn.init.normal_(model.model.embed_tokens.weight, std=config.hidden_size**-0.5)
    for layer in model.model.layers:
        for ending in (layer.self_attn.o_proj, layer.mlp.down_proj):
            torch.nn.init.normal_(ending.weight, std=0.02 / (2 * config.num_hidden_layers) ** 0.5)
    if config.num_attention_heads > 3 and config.num_hidden_layers > 1:
        teach_copying(model, THETA)
    return model


def loss_of(model: LlamaForCausalLM, tokens: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of the next token's cross-entropy: (batch, length) both, padded at the right.

    Only positions of any weight are multiplied with the vocabulary, which is a third of the work elsewhere.
    """
    hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state  # (batch, length - 1, width)
    counted = weights[:, 1:]
    asked = counted > 0
    logits = model.lm_head(hidden[asked])  # (answers, vocabulary)
    losses = cross_entropy(logits.float(), tokens[:, 1:][asked], reduction="none")
    return (losses * counted[asked]).sum() / counted.sum()


def halved(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes config and bf16 weights of `BITS` bits. More than 16 MB is a `ValueError`."""
    for weights in model.parameters():
        weights.data = shortened(weights.data)
    model.bfloat16().save_pretrained(folder)
    written = (folder / "model.safetensors").stat().st_size
    if written > LARGEST_BYTES:
        raise ValueError(f"{written} bytes of weights, {LARGEST_BYTES} are allowed")


def shortened(weights: Tensor, bits: int = BITS) -> Tensor:
    """Rounded to so many bits after the first one of each number."""
    mantissa, exponent = torch.frexp(weights.float())
    return torch.ldexp((mantissa * 2 ** (bits + 1)).round() / 2 ** (bits + 1), exponent)
