"""Who writes in the place of a model that failed, or whose context is too short: small models are let down by their own
words now and then."""

from typing import Any

from contracts.engines import Chat

SPARE = "scripted"


def spared(chats: dict[str, Any], fallback: bool) -> dict[str, Any]:
    """The same chat models; with `fallback` the grammar, where it is served, writes what the default cannot."""
    default, *others = chats.values()
    default.spare = next((chat for chat in others if fallback and chat.model == SPARE), None)
    return chats


def spare_of(chat: Chat) -> Chat | None:
    """The model behind this one; none where no other may answer."""
    spare: Chat | None = getattr(chat, "spare", None)
    return spare
