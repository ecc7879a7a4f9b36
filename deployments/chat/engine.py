"""What every chat engine offers. Engines live beside this file, one each."""

from collections.abc import AsyncGenerator, Iterator
from typing import Protocol

from contracts.chat import ChatDelta, ChatRequest


class ChatEngine(Protocol):
    """Its stream is blocking or asynchronous; closing it ends the work within a token.

    One that can die, and then not work again, has a `check_health` that raises once it is dead. One whose `adapts` is
    true answers with LoRA adapters: to an engine, `request.adapter` is a folder. Its `forget(folder)`, a coroutine,
    unloads one that no request has and none will name again.
    """

    def load(self) -> None: ...
    def generate(self, request: ChatRequest) -> Iterator[ChatDelta] | AsyncGenerator[ChatDelta]: ...
    def close(self) -> None: ...
