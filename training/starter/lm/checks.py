"""What is wrong with an answer, by the checks that the platform's own pipelines make. Empty: nothing."""

import re
from collections.abc import Callable
from typing import Any

from contracts import prompts
from contracts.livestream import Product
from deployments.chat.scripted import marks
from graphs.advertising import lawful
from graphs.facts import bare, clauses, loops, missing
from graphs.folding import fold
from graphs.lengths import cut, wrong_length
from graphs.livestream import keeps_numbers, puts_back
from graphs.splicing import spliced
from graphs.storybook import Telling
from training.starter.lm.chats import polite
from training.starter.lm.corpus import Example

Problem = Callable[[str], str]


def problem_of(example: Example) -> Problem:
    """The check for an example's task."""
    facts = example.facts
    match example.task:
        case "product":
            return lambda text: _product(facts, text)
        case "story":
            return lambda text: _story(facts, text)
        case "edit":
            return lambda text: _edit(facts, text)
        case _:
            return lambda text: "" if polite(facts["said"], text) else "not a polite reply"


def rescued(example: Example, text: str) -> str:
    """What the pipeline makes of a text that failed to the last."""
    if length := re.fullmatch(r"set_length_(\d+)", str(example.facts.get("action", ""))):
        return cut(text, int(length[1]))
    if example.task == "product":
        return spliced(Product.model_validate(example.facts), text)
    return puts_back(example.facts["text"])(text) if example.task == "edit" else text


def _product(facts: dict[str, Any], answer: str) -> str:
    product = Product.model_validate(facts)
    text = lawful(answer.strip(), product.facts()).text
    if loops(text):
        return "it repeats itself"
    return "、".join(missing(product.facts(), product.price, text))


def _story(facts: dict[str, Any], answer: str) -> str:
    telling = Telling(**facts, strict=True)
    telling.take(answer)
    return lacks(telling)


def lacks(telling: Telling) -> str:
    """What a story does not have of what it was told to; pages first."""
    if telling.left:
        return f"{telling.left} pages are lacking: {telling.problem}".splitlines()[0]
    story = telling.script()
    told = _folded(" ".join(page["text"] for page in story["pages"]))
    shown = _folded(" ".join(page["picture"] for page in story["pages"]))
    kept = {
        "topic": _folded(telling.topic) in _folded(story["title"]) + told,
        "role": _folded(bare(telling.role)) in _folded(story["hero"]) + told,
        "scene": _folded(bare(telling.scene)) in told + shown,
    }
    return "、".join(name for name, found in kept.items() if not found)


def _edit(facts: dict[str, Any], answer: str) -> str:
    text, original = lawful(answer.strip()).text, facts["text"]
    if not text:
        return "empty"
    if loops(text):
        return "it repeats itself"
    if length := re.fullmatch(r"set_length_(\d+)", facts["action"]):
        return wrong_length(text, int(length[1]))
    return keeps_numbers(original)(text) or (
        "、".join(lost_clauses(original, text)) if facts["action"] == "polish" else ""
    )


def lost_clauses(original: str, text: str) -> list[str]:
    """The clauses of the original, its marks put right, that do not stand in its new version."""
    said = _folded(text)
    clean = marks.clean(lawful(original).text, prompts.language_of(original))
    return [clause for clause in clauses(clean) if _folded(clause) not in said]


def _folded(text: str) -> str:
    return fold(text, blanks=False).text
