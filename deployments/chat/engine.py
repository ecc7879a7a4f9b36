"""What every chat engine offers. Engines live beside this file, one each."""

from collections.abc import Iterator
from typing import Protocol

from contracts.chat import ChatDelta, ChatRequest


class ChatEngine(Protocol):
    def load(self) -> None: ...
    def generate(self, request: ChatRequest) -> Iterator[ChatDelta]: ...
    def close(self) -> None: ...
