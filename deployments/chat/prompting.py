"""A conversation as a model's tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from contracts.catalog import CATALOG
from contracts.chat import Message
from contracts.errors import ContextLength, InvalidInput


def template_of(name: str, tokenizer: Any) -> str | None:
    """The named file of catalog/templates, else what came with the model, which None stands for.

    A model that was never taught to converse continues its text.
    """
    if not name and tokenizer.chat_template:
        return None
    path = CATALOG / "templates" / Path(name or "plain.jinja").name
    return path.read_text(encoding="utf-8")


def prompt_of(messages: Sequence[Message], tokenizer: Any, template: str | None, context: int) -> list[int]:
    """Token ids, fewer than `context`; what the model's template refuses is `InvalidInput`."""
    try:
        text = tokenizer.apply_chat_template(
            [message.model_dump() for message in messages],
            chat_template=template,
            tokenize=False,
            add_generation_prompt=True,
        )
    except TemplateError as error:
        raise InvalidInput(f"这个模型不接受这样的对话：{error}", param="messages") from error
    opened = template is not None  # by the tokenizer, as Llama's texts by <s>: a model's own template does it itself
    ids: list[int] = tokenizer(text, add_special_tokens=opened)["input_ids"]
    if not ids:
        raise InvalidInput("对话不能为空。", param="messages")
    if len(ids) >= context:
        raise ContextLength(f"对话有 {len(ids)} 个词元，模型最多容纳 {context} 个。", param="messages")
    return ids
