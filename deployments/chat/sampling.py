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
        self.often, self.ever = request.frequency_penalty, request.presence_penalty
        self.written: torch.Tensor | None = None  # how often each token was

    def next(self, ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """(1, 1) of what came last (1, length) and what the model makes of it (1, vocabulary)."""
        if self.often or self.ever:
            logits = self._penalised(logits)
        for warp in self.warpers:
            logits = warp(ids, logits)
        drawn = self._drawn(logits)
        if self.written is not None:
            self.written[drawn[0]] += 1
        return drawn

    def _penalised(self, logits: torch.Tensor) -> torch.Tensor:
        """As OpenAI has it: for each time that a token was written in this answer, and once more."""
        if self.written is None:
            self.written = torch.zeros_like(logits[0], dtype=torch.float32)
        return logits - self.often * self.written - self.ever * (self.written > 0)

    def _drawn(self, logits: torch.Tensor) -> torch.Tensor:
        if self.greedy:
            return logits.argmax(-1, keepdim=True)
        return torch.multinomial(logits.softmax(-1), 1, generator=self.random)
