"""Small models are guided: a word that they were told to write is written to its end once it is begun, for they lose
their way in names."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

BEGUN = 2  # tokens that are no blanks: after one alone, everything is still open
MOST = 64  # tokens; what is longer is not held to: it would cost everybody time at each of its tokens
LONG = 12  # tokens; longer words are sentences, which nobody says twice
OVER = -1  # no token
DOUBT = 4.0  # nats: a doubted word that is less likely than this to go on was another one that begins alike


def ways(word: str) -> list[str]:
    """As it may be written: a sentence may begin with it."""
    return list(dict.fromkeys((word, word[:1].upper() + word[1:])))


def told(words: Iterable[str], encode: Callable[[str], list[int]]) -> list[list[int]]:
    """Of each, after how many tokens it is begun, and its tokens."""
    blank = encode(" ")
    found = []
    for tokens in (tokens for tokens in map(encode, words) if 0 < len(tokens) <= MOST):
        at = [number for number, token in enumerate(tokens, 1) if token not in blank]
        found.append([at[BEGUN - 1] if len(at) >= BEGUN else len(tokens), *tokens])
    return found


class Guide:
    """Of one request: which tokens may come next."""

    def __init__(self, words: Iterable[Sequence[int]], doubt: float = math.inf, long: int = LONG) -> None:
        self.doubt, self.long = doubt, long
        self.begun: dict[int, list[tuple[tuple[int, ...], int]]] = {}  # what may be begun, by its last token
        self.said: set[tuple[int, ...]] = set()  # that is not said again
        for least, *tokens in words:
            word = tuple(tokens)
            for length in range(least, len(word) + 1):
                self.begun.setdefault(word[length - 1], []).append((word, length))

    def __call__(self, written: list[int], logits: Tensor) -> Tensor:
        """A schema goes before: what it does not allow is not finite."""
        allowed = [token for token in self.next(written) if torch.isfinite(logits[token])]
        if not allowed or logits[allowed].max() < logits.max() - self.doubt:
            return logits
        return only(allowed, logits)

    def next(self, written: Sequence[int]) -> set[int]:
        """Empty: any. Of words that are begun, those count of which most is written; where one has ended, none."""
        following: dict[int, set[int]] = {}  # by how much of their word is written
        for word, length in self.begun.get(written[-1], ()) if written else ():
            if word not in self.said and tuple(written[-length:]) == word[:length]:
                following.setdefault(length, set()).add(word[length] if length < len(word) else OVER)
        longest = max(following, default=0)
        if longest > self.long and OVER in following[longest]:
            self.said.add(tuple(written[-longest:]))
        return following[longest] if longest and OVER not in following[longest] else set()


def only(tokens: Sequence[int], logits: Tensor) -> Tensor:
    """The logits of these tokens alone; nothing else can be drawn."""
    kept = torch.full_like(logits, -torch.inf)
    kept[tokens] = logits[tokens]
    return kept
