"""A text that is told anew: each of its clauses is said as often as it was, and none is left out. For small models,
which leave out the end of a text, or go round in a circle of what they have copied."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from deployments.chat.guide import Guide, only, told, ways

AGAIN = 3  # tokens: with so many, what was said is begun again
MOST_CLAUSES = 200  # the first ones, of a text that small models do not tell anyway: each costs time at every token
_MARKS = "，。！？；：、…,.!?;:\n"


class Text(NamedTuple):
    """In tokens: clauses, each in the ways in which it may be written; the marks; a mark and a blank, as they
    stand between two clauses; what ends an answer."""

    clauses: list[list[list[int]]]
    marks: list[int]
    gap: list[int]
    end: int


def text_of(clauses: Sequence[str], encode: Callable[[str], list[int]], end: int) -> Text:
    """Without clauses that are part of another: they would be said twice."""
    whole = clauses[:MOST_CLAUSES]
    alone = [each for each in whole if not any(each != other and each in other for other in whole)]
    spelt = [told(ways(each), encode) for each in alone]
    marks = [token for mark in _MARKS for token in encode(mark)]
    gap = encode(", " if all(map(str.isascii, whole)) else "，")
    return Text(list(filter(None, spelt)), marks, gap, end)


class Retelling(Guide):
    """Of one request: where the model would end too early it is led to the next clause, in the order of the text."""

    def __init__(self, words: Iterable[Sequence[int]], text: Sequence[Any]) -> None:
        self.text = Text(*text)
        super().__init__([*words, *itertools.chain.from_iterable(self.text.clauses)])
        self.left = [[tuple(tokens) for _, *tokens in clause] for clause in self.text.clauses]
        self.led: dict[int, int] = {}  # tokens that come, by their place

    def __call__(self, written: list[int], logits: Tensor) -> Tensor:
        self._hear(written)
        if len(written) not in self.led and self.left and int(logits.argmax()) == self.text.end:
            self._lead(written)
        if len(written) in self.led:
            return only([self.led[len(written)]], logits)
        guided = super().__call__(written, logits)
        return _without(self._closed(written), logits) if guided is logits else guided

    def _hear(self, written: list[int]) -> None:
        """What has just been said to its end is not missing any more."""
        for clause in self.left:
            if any(way[-1:] == tuple(written[-1:]) and way == tuple(written[-len(way) :]) for way in clause):
                self.left.remove(clause)
                self.said.update(clause if clause not in self.left else ())
                return

    def _lead(self, written: list[int]) -> None:
        self.led = dict(enumerate([*self._gap(written[-1:]), *self.left[0][0]], len(written)))

    def _gap(self, last: list[int]) -> list[int]:
        mark, *blank = self.text.gap
        if not last or last == blank:
            return []
        return blank if last[0] in self.text.marks else [mark, *blank]

    def _closed(self, written: list[int]) -> set[int]:
        """What would say a clause once more; the end, while there is something left."""
        begun = tuple(written[1 - AGAIN :])
        again = {way[AGAIN - 1] for way in self.said if way[: AGAIN - 1] == begun and len(way) >= AGAIN}
        return again | ({self.text.end} if self.left else set())


def _without(tokens: set[int], logits: Tensor) -> Tensor:
    if not tokens:
        return logits
    closed = logits.clone()
    closed[list(tokens)] = -torch.inf
    return closed
