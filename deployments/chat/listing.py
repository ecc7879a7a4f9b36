"""JSON with a list of so many things, by a model with a token for each seam of its JSON.

A schema that forbids `"}]}` leaves such a model no way out of a string: it knows no plain `"`, and goes on and on. So
the schema leaves the number open, and the seam that the model means is exchanged for the one that the number wants.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from deployments.chat.guide import Guide, only


class Seams(NamedTuple):
    """Tokens that begin another thing and that end the list, how many things it has, and what its JSON begins with."""

    another: int
    over: int
    things: int
    begins: Sequence[int] = ()


def seams_of(vocabulary: Mapping[str, int], things: int, begins: Sequence[int] = ()) -> Seams | None:
    """`vocabulary`: the tokens that were added to a tokenizer, by their text; `begins`: those of the first string."""
    another = [token for text, token in vocabulary.items() if text.startswith('"}, {"')]
    over = [token for text, token in vocabulary.items() if text == '"}]}']
    opening = [token for text, token in vocabulary.items() if re.fullmatch(r'\{"\w+": "', text)]
    if not (another and over):
        return None
    return Seams(another[0], over[0], things, [opening[0], *begins] if opening and begins else [])


def opened(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An object's schema with the number of things in its last list left open."""
    *_, (name, listed) = schema["properties"].items()
    free = {key: value for key, value in listed.items() if key not in ("minItems", "maxItems")}
    return dict(schema) | {"properties": schema["properties"] | {name: free}}


class Listing:
    """Of one request: the guide of its words, the seams of its list, and its beginning."""

    def __init__(self, guide: Guide, seams: Sequence[Any]) -> None:
        self.guide, self.seams = guide, Seams(*seams)

    def __call__(self, written: list[int], logits: Tensor) -> Tensor:
        another, over, things, begins = self.seams
        guided = self.guide(written, logits)
        if 0 < len(written) < len(begins) and written == begins[: len(written)]:
            lead = begins[len(written)]
            return only([lead], logits) if torch.isfinite(logits[lead]) else logits
        if guided is not logits or not torch.isfinite(logits[[another, over]]).all():
            return guided
        right, wrong = (another, over) if written.count(another) + 1 < things else (over, another)
        if int(logits.argmax()) == wrong:
            return only([right], logits)
        closed = logits.clone()
        closed[wrong] = -torch.inf
        return closed
