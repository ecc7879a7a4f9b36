"""The next token of a model's logits, as a request wants it drawn. By transformers' own warpers."""

from typing import Any

import torch
from transformers import LogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper

from contracts.chat import ChatRequest

COLDEST = 0.01  # below it logits overflow; vLLM has the same bound


class Sampling:
    """Of one answer: its random numbers are its own. `grammar`: compiled by xgrammar; only what it allows is drawn."""

    def __init__(self, request: ChatRequest, device: str, grammar: Any = None) -> None:
        self.greedy = request.temperature == 0
        self.random = torch.Generator(device)
        if request.seed is None:
            self.random.seed()
        else:
            self.random.manual_seed(request.seed)
        self.warpers: list[LogitsProcessor] = []
        if grammar:
            from xgrammar.contrib.hf import LogitsProcessor as Grammar

            self.warpers.append(Grammar(grammar))
        if not self.greedy:
            self.warpers.append(TemperatureLogitsWarper(max(request.temperature, COLDEST)))
        if request.top_p < 1:
            self.warpers.append(TopPLogitsWarper(request.top_p))

    def next(self, ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """(1, 1) of what came last (1, length) and what the model makes of it (1, vocabulary)."""
        for warp in self.warpers:
            logits = warp(ids, logits)
        if self.greedy:
            return logits.argmax(-1, keepdim=True)
        return torch.multinomial(logits.softmax(-1), 1, generator=self.random)
