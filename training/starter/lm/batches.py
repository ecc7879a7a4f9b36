"""Batches of examples of about the same length, made as they are needed from the seed and the pool's number."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from training.starter.lm.corpus import corpus
from training.starter.lm.tokenizer import tokenized

POOL = 2048  # examples that are sorted by length together
LONGEST = 1280  # tokens; longer examples are left out


@dataclass(frozen=True)
class Batch:
    """`tokens` and `wanted` are (batch, length); `wanted` is true on the answers. `pool`, `index`: its place."""

    tokens: Tensor
    wanted: Tensor
    pool: int
    index: int


def batches(
    tokenizer: PreTrainedTokenizerFast, seed: int, size: int, pool: int = 0, index: int = 0, examples: int = POOL
) -> Iterator[Batch]:
    """Batches of about `size` tokens without end, from the given place on."""
    while True:
        rows = islice(corpus(seed, start=pool * examples), examples)
        cut = [row for row in (tokenized(one, tokenizer) for one in rows) if len(row[0]) <= LONGEST]
        groups = _grouped(sorted(cut, key=lambda row: len(row[0])), size)
        Random(f"{seed} {pool}").shuffle(groups)  # noqa: S311
        for number in range(index, len(groups)):
            tokens, wanted = _padded(groups[number], int(tokenizer.pad_token_id))
            yield Batch(tokens, wanted, pool, number)
        pool, index = pool + 1, 0


def _grouped(rows: list[tuple[list[int], int]], size: int) -> list[list[tuple[list[int], int]]]:
    groups: list[list[tuple[list[int], int]]] = [[]]
    for row in rows:
        if groups[-1] and len(row[0]) * (len(groups[-1]) + 1) > size:
            groups.append([])
        groups[-1].append(row)
    return groups


def _padded(rows: list[tuple[list[int], int]], pad: int) -> tuple[Tensor, Tensor]:
    """Right-padded rows, and a mask of their answers."""
    longest = max(len(ids) for ids, _ in rows)
    tokens = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in rows])
    at = torch.arange(longest)
    starts, ends = (torch.tensor(values)[:, None] for values in ([s for _, s in rows], [len(ids) for ids, _ in rows]))
    return tokens, (at >= starts) & (at < ends)
