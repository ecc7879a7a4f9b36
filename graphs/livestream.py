"""Livestream copy: written from a product's facts, or polished. Neither loses a fact or a number.

Each verb gives drafts while the model writes, and last the checked text. Closing it (`aclosing`) stops the model.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from contracts import prompts
from contracts.engines import Chat
from contracts.errors import EngineFailed, InvalidInput
from contracts.livestream import Copy, Draft, Product
from graphs.advertising import rewritten
from graphs.drafts import Wanted, drafted
from graphs.facts import clauses, lost, missing
from graphs.splicing import invented, restored, spliced

Result = TypeVar("Result", bound=Copy)


def write_copy(product: Product, chat: Chat, seed: int | None = None) -> AsyncGenerator[Draft | Copy]:
    """Copy in which all words of the seller's stand; forbidden ones among them are flagged and not rewritten.

    What three answers lack stands in sentences of their own; where that is too much, they are `EngineFailed`.
    """
    facts = product.facts()
    asked = prompts.product_script(product.name, product.features, product.audience, product.price, product.promotion)
    problem = lambda text: _lacking(missing(facts, product.price, text))  # noqa: E731
    return drafted(chat, Wanted(asked, problem, facts, mend=partial(spliced, product), seed=seed))


def polish(content: str, chat: Chat, seed: int | None = None) -> AsyncGenerator[Draft | Copy]:
    """A smoother text with the numbers of the original: what three answers lack of them stands in its words. An empty
    text is `InvalidInput` at once."""
    if not content.strip():
        raise InvalidInput("文本不能为空", param="content")
    keeps, mend = keeps_numbers(content), puts_back(content)
    return drafted(chat, Wanted(prompts.polish(content), keeps, mend=mend, seed=seed, clauses=clauses(content)))


async def final(items: AsyncGenerator[Draft | Result]) -> Result:
    """The checked text alone."""
    async with aclosing(items):
        async for item in items:
            if not isinstance(item, Draft):
                return item
    raise EngineFailed("模型没有写出内容")


def keeps_numbers(original: str) -> Callable[[str], str]:
    """Says which numbers a text has lost, and which amounts of money it has made up.

    Numbers within forbidden terms (100%有效) may go with them.
    """
    lawful = rewritten(original)
    return lambda text: _lacking(lost(lawful, text)) or _made_up(invented(original, text))


def puts_back(original: str) -> Callable[[str], str]:
    """Tells the numbers that a text has lost, those of `keeps_numbers`, where they belong."""
    return partial(restored, rewritten(original))


def _made_up(words: list[str]) -> str:
    return "原文没有" + "、".join(f"“{word}”" for word in words) if words else ""


def _lacking(words: list[str]) -> str:
    return "缺少" + "、".join(f"“{word}”" for word in words) if words else ""
