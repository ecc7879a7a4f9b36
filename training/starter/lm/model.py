"""The network: a Llama of 7.2 million parameters, 14.4 MB in bf16, which vLLM, transformers and peft take as it is.

Not the Qwen2 layout: for that one `AutoTokenizer` ignores a tokenizer of one's own and splits words in Qwen's way.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training.starter.lm.tokenizer import CONTEXT

LARGEST_BYTES = 16_000_000  # of weights on disk


def configured(tokenizer: PreTrainedTokenizerFast, layers: int = 6, width: int = 256) -> LlamaConfig:
    """Heads of 64, the size that every attention kernel knows; tied embeddings."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        use_cache=True,
    )


def fresh(config: LlamaConfig, seed: int) -> LlamaForCausalLM:
    """Untrained; the same seed gives the same weights. What ends a residual branch starts small."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    for layer in model.model.layers:
        for ending in (layer.self_attn.o_proj, layer.mlp.down_proj):
            torch.nn.init.normal_(ending.weight, std=0.02 / (2 * config.num_hidden_layers) ** 0.5)
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
    """Writes config and bf16 weights. More than 16 MB is a `ValueError`."""
    model.bfloat16().save_pretrained(folder)
    written = (folder / "model.safetensors").stat().st_size
    if written > LARGEST_BYTES:
        raise ValueError(f"{written} bytes of weights, {LARGEST_BYTES} are allowed")
