"""Text generation: what is asked and what comes back."""

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.model import Contract

LONGEST = 32_768  # tokens of an answer


class Message(Contract):
    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(Contract):
    """An engine whose context is shorter than `max_tokens` gives what it has room for."""

    messages: list[Message] = Field(min_length=1)
    max_tokens: int = Field(2048, ge=1, le=LONGEST)
    temperature: float = Field(0.7, ge=0, le=2, description="0: always the likeliest token.")
    top_p: float = Field(1, gt=0, le=1)
    frequency_penalty: float = Field(
        0, ge=-2, le=2, description="Of a token's logit, for each time that it was written."
    )
    presence_penalty: float = Field(0, ge=-2, le=2, description="The same, once it was.")
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        [], max_length=4, description="The answer ends before the first of these."
    )
    json_schema: dict[str, Any] | None = Field(None, description="The answer is one JSON value of this schema.")
    verbatim: list[str] = Field(
        [], description="Words that the answer is to have as they are: engines that lose them else are held to them."
    )
    clauses: list[str] = Field(
        [], description="A text that is told anew: such engines leave out none of its clauses, and no circle in."
    )
    things: int = Field(
        0,
        ge=0,
        description="How many the last list of the schema has, for engines that lose count; 0: it does not say.",
    )
    begins: str = Field(
        "", description="What the first string of its JSON begins with, for engines that lose their way there."
    )
    adapter: str = Field("", description="Key of the LoRA adapter that answers with the model; empty: the model alone.")


class Usage(Contract):
    """Tokens, as the model counts them."""

    prompt_tokens: int
    completion_tokens: int


class ChatDelta(Contract):
    """The next piece of the answer. The last one carries why it ended, and, where the engine counts, what it took."""

    text: str
    finish: Literal["stop", "length"] | None = None
    usage: Usage | None = None
