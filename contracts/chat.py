"""Text generation: what is asked and what comes back."""

from typing import Any, Literal

from pydantic import Field

from contracts.model import Contract


class Message(Contract):
    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(Contract):
    messages: list[Message] = Field(min_length=1)
    max_tokens: int = Field(2048, ge=1, le=32_768)
    temperature: float = Field(0.7, ge=0, le=2)
    seed: int | None = None
    json_schema: dict[str, Any] | None = Field(None, description="The answer is one JSON value of this schema.")


class ChatDelta(Contract):
    """The next piece of the answer. The last one carries why it ended."""

    text: str
    finish: Literal["stop", "length"] | None = None
