"""A chat completion, whole or in chunks, in OpenAI's words."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from contracts.chat import ChatDelta, Usage


@dataclass
class Completion:
    """One answer: its pieces are told as they come, and remembered."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))
    text: str = ""
    finish: str | None = None
    usage: Usage | None = None

    def add(self, delta: ChatDelta) -> None:
        self.text += delta.text
        self.finish, self.usage = delta.finish or self.finish, delta.usage or self.usage

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish or "stop"}
        return self._of("chat.completion", [choice]) | {"usage": self._counted()}

    def begun(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def piece(self, delta: ChatDelta) -> dict[str, Any]:
        return self._chunk({"content": delta.text})

    def ended(self) -> dict[str, Any]:
        return self._chunk({}, self.finish or "stop")

    def counted(self) -> dict[str, Any]:
        return self._of("chat.completion.chunk", []) | {"usage": self._counted()}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._of("chat.completion.chunk", [choice])

    def _of(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
            "choices": choices,
        }

    def _counted(self) -> dict[str, int] | None:
        """Null where the engine does not count."""
        if self.usage is None:
            return None
        asked, written = self.usage.prompt_tokens, self.usage.completion_tokens
        return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}
