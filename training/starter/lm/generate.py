"""Answers of a model to many conversations at once, with `transformers` alone."""

from collections.abc import Sequence

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from contracts.chat import Message
from training.starter.lm.tokenizer import CONTEXT, rendered

LONGEST = 1400  # tokens of an answer


@torch.inference_mode()
def answers(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    asked: Sequence[Sequence[Message]],
    *,
    temperature: float = 0.7,
    seed: int = 0,
    batch: int = 32,
) -> list[str]:
    """One answer each, in their order. The same seed and batch give the same ones."""
    torch.manual_seed(seed)
    model.eval()
    prompts = [rendered(messages, tokenizer) for messages in asked]
    said: dict[int, str] = {}
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        padded = tokenizer.pad({"input_ids": [prompts[index] for index in chosen]}, return_tensors="pt")
        longest = padded["input_ids"].shape[1]
        tokens = model.generate(  # type: ignore[misc]  # its own annotation of self
            **padded,
            do_sample=True,
            temperature=temperature,
            top_p=1.0,
            top_k=0,  # every token may come, as the platform samples
            max_new_tokens=min(LONGEST, CONTEXT - longest),
        )
        texts = tokenizer.batch_decode(tokens[:, longest:], skip_special_tokens=True)
        said |= dict(zip(chosen, texts, strict=True))
    return [said[index] for index in range(len(prompts))]
