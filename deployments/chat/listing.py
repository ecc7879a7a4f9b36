"""A JSON list of so many things, by a model with a token for each seam of its JSON.

A schema that forbids `"}]}` leaves such a model no way out of a string: it knows no plain `"`, and goes on and on. So
the schema leaves the number open, and the seam that the model means is exchanged for the one that the number wants.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from deployments.chat.guide import Guide, only


class Seams(NamedTuple):
    """Tokens that begin another thing and that end the list, and how many things it has."""

    another: int
    over: int
    things: int


def seams_of(vocabulary: Mapping[str, int], things: int) -> Seams | None:
    """`vocabulary`: the tokens that were added to a tokenizer, by their text."""
    another = [token for text, token in vocabulary.items() if text.startswith('"}, {"')]
    over = [token for text, token in vocabulary.items() if text == '"}]}']
    return Seams(another[0], over[0], things) if another and over else None


def opened(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An object's schema with the number of things in its last list left open."""
    *_, (name, listed) = schema["properties"].items()
    free = {key: value for key, value in listed.items() if key not in ("minItems", "maxItems")}
    return dict(schema) | {"properties": schema["properties"] | {name: free}}


class Listing:
    """Of one request: the guide of its words, and the seams of its list."""

    def __init__(self, guide: Guide, seams: Sequence[int]) -> None:
        self.guide, self.seams = guide, Seams(*seams)

    def __call__(self, written: list[int], logits: Tensor) -> Tensor:
        guided = self.guide(written, logits)
        another, over, things = self.seams
        if guided is not logits or not torch.isfinite(logits[[another, over]]).all():
            return guided
        right, wrong = (another, over) if written.count(another) + 1 < things else (over, another)
        if int(logits.argmax()) == wrong:
            return only([right], logits)
        closed = logits.clone()
        closed[wrong] = -torch.inf
        return closed
