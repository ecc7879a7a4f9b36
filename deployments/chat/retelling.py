"""A text that is told anew: none of its clauses is left out, and what goes round in a circle is led out of it.

For small models, which leave out the end of a text, or say what they have copied again and again.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from contracts.prompts import language_of
from deployments.chat.guide import MOST, Guide, only, told, ways

SHORT = 4  # tokens: a greeting may be said again, a longer clause is then a circle's beginning
OFTEN = 3  # times more than in the text: so often no greeting is said
MOST_CLAUSES = 200  # the first ones, of a text that small models do not tell anyway: each costs time at every token
_MARKS = "，。！？；：、…,.!?;:\n"

Clause = tuple[tuple[int, ...], ...]  # the ways in which it may be written, in tokens


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
    gap = encode("，" if language_of("".join(whole)) == "zh" else ", ")
    return Text(list(filter(None, spelt)), marks, gap, end)


class Retelling(Guide):
    """Of one request: where the model would end too early, or has said a clause too often, it is led to the next one.

    In the order of the text. Where none is left, a circle ends the answer.
    """

    def __init__(self, words: Iterable[Sequence[int]], text: Sequence[Any]) -> None:
        self.text = Text(*text)
        super().__init__([*words, *itertools.chain.from_iterable(self.text.clauses)], long=MOST)
        self.clauses = [tuple(tuple(tokens) for _, *tokens in clause) for clause in self.text.clauses]
        self.left = list(self.clauses)
        self.heard, self.again = 0, Counter[Clause]()
        self.circles = False
        self.led: dict[int, int] = {}  # tokens that come, by their place

    def __call__(self, written: list[int], logits: Tensor) -> Tensor:
        self._hear(written)
        if len(written) in self.led:
            return only([self.led[len(written)]], logits)
        guided = super().__call__(written, logits)
        if guided is not logits:
            return guided
        ends = int(logits.argmax()) == self.text.end
        if self.left and (ends or self.circles):
            self.led = dict(enumerate([*self._gap(written[-1:]), *self.left[0][0]], len(written)))
            return only([self.led[len(written)]], logits)
        return only([self.text.end], logits) if self.circles else self._going_on(logits)

    def _hear(self, written: list[int]) -> None:
        """All that is new: vLLM begins anew with an answer that it had no memory for."""
        for length in range(self.heard + 1, len(written) + 1):
            clause = next((each for each in self.clauses if _ends(written, length, each)), None)
            if clause in self.left:
                self.left.remove(clause)
            elif clause:
                self.again[clause] += 1
            self.circles = clause is not None and self.again[clause] >= (1 if len(clause[0]) > SHORT else OFTEN)
        self.heard = len(written)

    def _gap(self, last: list[int]) -> list[int]:
        mark, *blank = self.text.gap
        if not last or last == blank:
            return []
        return blank if last[0] in self.text.marks else [mark, *blank]

    def _going_on(self, logits: Tensor) -> Tensor:
        """Not to the end, while something is left."""
        if not self.left:
            return logits
        open_ended = logits.clone()
        open_ended[self.text.end] = -torch.inf
        return open_ended


def _ends(written: Sequence[int], length: int, clause: Clause) -> bool:
    """Whether the clause, in one of its ways, is what was written last, up to this length."""
    return any(
        way[-1] == written[length - 1] and tuple(written[max(length - len(way), 0) : length]) == way for way in clause
    )
