"""The corpus: prompts drawn at random and the grammar's answers, without end.

About 70 % are Chinese. At least half of the names, prices, promotions, topics and heroes are made up. Every example is
a function of `(seed, index)` alone, so any part of the corpus can be made again, in any order, by any process.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from contracts.chat import Message
from deployments.chat.scripted.engine import answer
from training.starter.lm import asks, chats
from training.starter.lm.asks import Ask
from training.starter.lm.slots import Slots

CHINESE = 0.7
MIXTURE: list[tuple[Callable[[Slots], Ask], int]] = [  # shares of the examples
    (asks.product, 22),
    (asks.edit, 30),
    (asks.story, 16),
    (asks.carried_on, 5),
    (chats.chat, 8),
    (chats.outside, 8),
    (chats.free, 4),
    (asks.followed, 3),
    (asks.mended, 3),
    (chats.echo, 2),
]


@dataclass(frozen=True)
class Example:
    """A conversation that ends with its answer. `keeps`: words that the answer copies from the prompt."""

    task: str
    messages: list[Message]
    keeps: list[str]
    facts: dict[str, Any]

    @property
    def prompt(self) -> list[Message]:
        return self.messages[:-1]

    @property
    def answer(self) -> str:
        return self.messages[-1].content


def corpus(seed: int, start: int = 0, held_out: bool = False) -> Iterator[Example]:
    """Examples from `start` on. `held_out`: made of names, topics and templates that training never sees."""
    index = start
    while True:
        yield example(Random(f"{seed} {index} {held_out}"), held_out)  # noqa: S311
        index += 1


def example(rng: Random, held_out: bool = False) -> Example:
    """One random task in a random language, answered."""
    slots = Slots(rng, "zh" if rng.random() < CHINESE else "en", held_out)
    make = rng.choices([make for make, _ in MIXTURE], [weight for _, weight in MIXTURE])[0]
    return answered(make(slots), rng, held_out)


def answered(ask: Ask, rng: Random, held_out: bool = False) -> Example:
    said = ask.said or answer(ask.messages, rng.getrandbits(32))
    asked = ask.messages if held_out or rng.random() > 0.04 else _reworded(ask.messages, rng)
    keeps = sorted({word for word in ask.keeps if word}, key=len, reverse=True)
    return Example(ask.task, [*asked, Message(role="assistant", content=said)], keeps, ask.facts)


def _reworded(messages: list[Message], rng: Random) -> list[Message]:
    """With a system prompt that lacks a sentence: later ones may be worded in another way."""
    system = messages[0]
    if system.role != "system":
        return messages
    parts = system.content.replace("。", "。\0").replace(". ", ". \0").split("\0")
    if len(parts) > 2:
        parts.pop(rng.randrange(len(parts)))
    return [Message(role="system", content="".join(parts)), *messages[1:]]
