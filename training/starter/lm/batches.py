"""Batches of examples of about the same length, made as they are needed from the seed and the pool's number.

What an answer takes from its prompt counts more: most of an answer is chosen freely by the grammar, and the little that
has to be copied, which is what an answer is judged by, would drown in the noise of those choices.
"""

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
LONGEST = 1536  # tokens; longer examples are left out
COPIED = 5.0  # weight of a token of the answer that stands in the prompt; marks excepted


@dataclass(frozen=True)
class Batch:
    """`tokens` and `weights` are (batch, length); prompts and padding weigh nothing. `pool`, `index`: its place."""

    tokens: Tensor
    weights: Tensor
    pool: int
    index: int


def batches(
    tokenizer: PreTrainedTokenizerFast, seed: int, size: int, pool: int = 0, index: int = 0, examples: int = POOL
) -> Iterator[Batch]:
    """Batches of about `size` tokens without end, from the given place on."""
    words = {index for token, index in tokenizer.get_vocab().items() if any(map(str.isalnum, token))}
    while True:
        rows = islice(corpus(seed, start=pool * examples), examples)
        cut = [row for row in (tokenized(one, tokenizer) for one in rows) if len(row[0]) <= LONGEST]
        groups = _grouped(sorted(cut, key=lambda row: len(row[0])), size)
        Random(f"{seed} {pool}").shuffle(groups)  # noqa: S311
        for number in range(index, len(groups)):
            tokens, weights = _padded(groups[number], int(tokenizer.pad_token_id), words)
            yield Batch(tokens, weights, pool, number)
        pool, index = pool + 1, 0


def _grouped(rows: list[tuple[list[int], int]], size: int) -> list[list[tuple[list[int], int]]]:
    groups: list[list[tuple[list[int], int]]] = [[]]
    for row in rows:
        if groups[-1] and len(row[0]) * (len(groups[-1]) + 1) > size:
            groups.append([])
        groups[-1].append(row)
    return groups


def _padded(rows: list[tuple[list[int], int]], pad: int, words: set[int]) -> tuple[Tensor, Tensor]:
    """Right-padded rows and their weights."""
    longest = max(len(ids) for ids, _ in rows)
    tokens = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in rows])
    weights = torch.tensor([_weights(ids, start, words) + [0.0] * (longest - len(ids)) for ids, start in rows])
    return tokens, weights


def _weights(ids: list[int], start: int, words: set[int]) -> list[float]:
    given = words.intersection(ids[:start])
    return [0.0] * start + [COPIED if token in given else 1.0 for token in ids[start:]]
