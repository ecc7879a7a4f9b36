"""What is asked of a chat completion, in OpenAI's words."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.openai.schemas import check
from contracts.chat import LONGEST, ChatRequest, Message
from contracts.errors import InvalidInput

MOST_MESSAGES, LONGEST_TEXT = 2048, 1 << 22
# What changes the answer and is not to be had here: what it may be nevertheless, beside null.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "store": (False,),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "top_k": (-1, 0),  # of vLLM's server
    "min_p": (0,),
    "repetition_penalty": (1,),
}
IGNORED = {  # what is for the service's own books, or may be left to it
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "metadata",
    "service_tier",
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
}
THOUGHTS = {"reasoning", "reasoning_content"}  # of an earlier answer, which no model is shown again
SAMPLED = ("temperature", "frequency_penalty", "presence_penalty", "seed")
LEAST_P = 1e-6  # 0 is OpenAI's word for the likeliest token alone


def _text(content: Any) -> Any:
    """A text, or the parts of one."""
    if not isinstance(content, list):
        return content
    if not content or not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        raise ValueError("只支持文字内容")
    texts = [part.get("text") for part in content]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("文字内容应为字符串")
    return "".join(map(str, texts))


def _listed(stop: Any) -> Any:
    return [] if stop is None else [stop] if isinstance(stop, str) else stop


Stop = Annotated[str, Field(min_length=1, max_length=200)]
Stops = Annotated[list[Stop], Field(max_length=4), BeforeValidator(_listed)]


def check_others(fields: Mapping[str, Any] | None, neutral: Mapping[str, Sequence[Any]]) -> None:
    """Refuse what cannot be had, and what nobody knows; `neutral`: what may be there, with these values."""
    for name, value in (fields or {}).items():
        if name not in IGNORED and value is not None and value not in neutral.get(name, ()):
            raise InvalidInput("不支持这个参数。" if name in neutral else "未知字段。", param=name)


class Said(BaseModel):
    """`developer` is the newer word for `system`. An earlier answer may come back with all its fields, empty ones."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=LONGEST_TEXT), BeforeValidator(_text)]  # unbounded, half characters pass
    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _silent(cls, said: Any) -> Any:
        """An answer may have been without a text."""
        silent = isinstance(said, dict) and said.get("role") == "assistant" and said.get("content") is None
        return said | {"content": ""} if silent else said

    def message(self, place: int) -> Message:
        for field, value in (self.model_extra or {}).items():
            if value not in (None, []) and field not in THOUGHTS:
                raise InvalidInput("不支持这个字段。", param=f"messages.{place}.{field}")
        return Message(role="system" if self.role == "developer" else self.role, content=self.content)


class Schema(BaseModel):
    name: str = Field("", max_length=64)
    description: str | None = None
    strict: bool | None = None
    wanted: dict[str, Any] = Field({}, alias="schema")


class Format(BaseModel):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: Schema | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Format":
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema 与 type 不符")
        if self.json_schema:
            check(self.json_schema.wanted)
        return self

    @property
    def wanted(self) -> dict[str, Any] | None:
        """The schema of the answer; of `json_object`, any object."""
        if self.json_schema:
            return self.json_schema.wanted or {"type": "object"}
        return {"type": "object"} if self.type == "json_object" else None


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class NewCompletion(BaseModel):
    """An absent `temperature` is ours, 0.7, as for every text route; OpenAI's is 1."""

    model_config = ConfigDict(extra="allow")

    model: str | None = Field(None, max_length=200)
    messages: list[Said] = Field(min_length=1, max_length=MOST_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=LONGEST)
    max_completion_tokens: int | None = Field(None, ge=1, le=LONGEST)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Stops = []
    response_format: Format | None = None

    def request(self) -> ChatRequest:
        """As engines are asked; what cannot be had here is `InvalidInput`."""
        others = self.model_extra or {}
        unused = {"tools", "functions"} if "none" in (others.get("tool_choice"), others.get("function_call")) else set()
        check_others({name: value for name, value in others.items() if name not in unused}, NEUTRAL)
        chosen = {name: getattr(self, name) for name in SAMPLED}
        return ChatRequest(
            messages=[said.message(place) for place, said in enumerate(self.messages)],
            max_tokens=self.max_completion_tokens or self.max_tokens or LONGEST,
            stop=self.stop,
            json_schema=self.response_format.wanted if self.response_format else None,
            top_p=max(self.top_p, LEAST_P) if self.top_p is not None else 1,
            **{name: value for name, value in chosen.items() if value is not None},
        )
