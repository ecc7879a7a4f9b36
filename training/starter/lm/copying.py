"""Heads that copy from the first step on, so that a short training need not find them.

Where a token stood before, what followed it there is likely to follow again (induction heads: Olsson et al. 2022, arXiv
2209.11895). Random weights find this after millions of tokens and for frequent tokens first; here the first two layers
begin as such heads, for all tokens alike, and are trained like all other weights (in the spirit of mimetic
initialisation: Trockman, Kolter 2023, arXiv 2305.09828).
"""

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

HEAD = 64  # width of a head
BACK_GAIN, COPY_GAIN = 0.2, 0.3  # of what a head adds to the residual stream, whose tokens have length 1
SHARP = 6.3  # biases of the heads that look back
NEAR = 12  # pairs of a head's places that turn fast enough to tell one place from the next
STILL = slice(HEAD // 4, HEAD // 2)  # pairs that hardly turn over a thousand places
ALONE, FIRST, SECOND = 2.2, 2.5, 1.3  # scales of what is compared


@torch.no_grad()
def teach_copying(model: LlamaForCausalLM, theta: float) -> None:
    """Needs four heads of 64, biases and two layers; `theta` is the base of the rotary embedding."""
    width = model.config.hidden_size
    whole = nn.init.orthogonal_(torch.empty(width, width))
    here, before, second, other, *_ = whole.split(HEAD)  # subspaces of the residual stream, (64, width) each
    back = model.model.layers[0].self_attn
    for head, (offset, where) in enumerate(((1, before), (2, second))):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        _look_back(back.q_proj.bias[rows], back.k_proj.bias[rows], offset, theta)
        back.v_proj.weight[rows] = here
        back.o_proj.weight[:, rows] = BACK_GAIN * where.T
    copy = model.model.layers[1].self_attn
    for head, copied in enumerate((here, other, here, other)):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        half = slice(0, HEAD // 2) if head % 2 == 0 else slice(HEAD // 2, HEAD)
        asked, found = ALONE * here[half], ALONE * before[half]  # (32, width): this token, and the one before there
        if head > 1:  # the same of two tokens, each with half as many places
            two = slice(half.start, half.start + HEAD // 4)
            asked = torch.cat([FIRST * here[two], SECOND * before[two]])
            found = torch.cat([FIRST * before[two], SECOND * second[two]])
        copy.q_proj.weight[rows], copy.k_proj.weight[rows] = _still(asked), _still(found)
        copy.v_proj.weight[rows] = copied
        copy.o_proj.weight[:, rows] = COPY_GAIN * copied.T


def _look_back(query: Tensor, key: Tensor, offset: int, theta: float) -> None:
    """Biases (64,) whose product is largest `offset` places back, whatever stands there."""
    angles = offset * theta ** (-torch.arange(NEAR) / (HEAD // 2))
    key[:NEAR] = SHARP
    query[:NEAR], query[HEAD // 2 : HEAD // 2 + NEAR] = SHARP * angles.cos(), -SHARP * angles.sin()


def _still(rows: Tensor) -> Tensor:
    """(32, width) at those places of a head (64, width) that compare alike over any distance."""
    out = torch.zeros(HEAD, rows.shape[1])
    first, last = rows.split(HEAD // 4)
    out[STILL], out[HEAD // 2 :][STILL] = first, last
    return out
