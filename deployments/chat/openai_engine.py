"""Any service that speaks OpenAI's chat completions, through the `openai` package, which tries again where it may."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import openai
from openai.types.chat import ChatCompletionChunk

from contracts.chat import LONGEST, ChatDelta, ChatRequest, Message, Usage
from contracts.errors import ContextLength, Deadline, EngineFailed, InvalidInput, Overloaded, ServiceError, Unavailable
from deployments.chat.ending import Ending
from deployments.keys import secret

RETRY_S = 5.0  # where the service does not say when to come back
FINISHED: dict[str, Literal["stop", "length"]] = {"stop": "stop", "length": "length"}


class OpenAI:
    """`model` at `base_url`; the key is in the environment variable `key`, or in the file that `<key>_FILE` names.

    What a service takes less of than we do is told by `most_tokens`, `most_temperature`, `most_stops`; `json_mode`
    is what it can be held to: a schema, any object, or nothing; what it cannot be held to it is asked for in words.
    It has to begin within `timeout_s`, other tries included; whoever asks waits half a minute for a first word.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str = "",
        timeout_s: float = 25,
        retries: int = 2,
        most_tokens: int = LONGEST,
        most_temperature: float = 2,
        most_stops: int = 4,
        json_mode: Literal["schema", "object", "none"] = "schema",
    ) -> None:
        self.base_url, self.model, self.key = base_url, model, key
        self.timeout_s, self.retries = timeout_s, retries
        self.most_tokens, self.most_temperature, self.most_stops = most_tokens, most_temperature, most_stops
        self.json_mode = json_mode

    def load(self) -> None:
        """A key that is absent is told when it is needed: a cluster without it serves its other models."""
        self.client: openai.AsyncOpenAI | None = None

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """The answer as the service sends it. Closing it closes the connection, and the service stops.

        The first delta may be empty: a model that thinks before it writes has begun.
        """
        ending, finish, usage, begun = Ending(request.stop), None, None, False
        with our_errors():
            async with asyncio.timeout(self.timeout_s):
                chunks = await self._client().chat.completions.create(**self._asked(request))
            async with chunks:
                async for chunk in chunks:
                    usage = _usage(chunk) or usage
                    text, ended = _said(chunk)
                    finish = ended or finish
                    if (piece := ending.feed(text)) or not begun:
                        yield ChatDelta(text=piece)
                    begun = True
                    if ending.met:
                        break
        if finish is None and not ending.met:
            raise EngineFailed("语言模型服务没有写完。")
        yield ChatDelta(text=ending.rest(), finish="stop" if ending.met else finish, usage=usage)

    def close(self) -> None:
        """Connections end with the process: the client's own closing belongs to a loop that may have ended."""
        self.client = None

    def _client(self) -> openai.AsyncOpenAI:
        if self.client is None:
            self.client = openai.AsyncOpenAI(
                api_key=self._secret(), base_url=self.base_url, timeout=self.timeout_s, max_retries=self.retries
            )
        return self.client

    def _secret(self) -> str:
        return secret(self.key, self.model) if self.key else "none"

    def _asked(self, request: ChatRequest) -> dict[str, Any]:
        """What is as the service's default is left out: not every service knows it."""
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": [message.model_dump() for message in self._messages(request)],
            "temperature": min(request.temperature, self.most_temperature),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if (most := min(request.max_tokens, self.most_tokens)) < LONGEST:  # else as long as its context lets it
            asked["max_tokens"] = most
        if request.top_p < 1:
            asked["top_p"] = request.top_p
        for penalty in ("frequency_penalty", "presence_penalty"):
            if value := getattr(request, penalty):
                asked[penalty] = value
        if request.seed is not None:
            asked["seed"] = request.seed
        if stop := request.stop[: self.most_stops]:
            asked["stop"] = stop
        if request.json_schema is not None and self.json_mode != "none":
            schema = {"name": "answer", "schema": request.json_schema}
            shaped = {"type": "json_schema", "json_schema": schema}
            asked["response_format"] = shaped if self.json_mode == "schema" else {"type": "json_object"}
        return asked

    def _messages(self, request: ChatRequest) -> list[Message]:
        """With the schema in words, where the service cannot be held to it."""
        if request.json_schema in (None, {"type": "object"}) or self.json_mode == "schema":
            return request.messages
        wanted = f"只输出一个符合这个 JSON Schema 的 JSON：{json.dumps(request.json_schema, ensure_ascii=False)}"
        return [Message(role="system", content=wanted), *request.messages]


def _said(chunk: ChatCompletionChunk) -> tuple[str, Literal["stop", "length"] | None]:
    """The text of a chunk, and why it is the last one. A refusal by the service's own filter is no answer."""
    if not chunk.choices:
        return "", None
    choice = chunk.choices[0]
    if choice.finish_reason is not None and choice.finish_reason not in FINISHED:
        raise InvalidInput(f"语言模型服务中止了回答（{choice.finish_reason}）。", param="messages")
    return choice.delta.content or "", FINISHED.get(choice.finish_reason or "")


def _usage(chunk: ChatCompletionChunk) -> Usage | None:
    told = chunk.usage
    return Usage(prompt_tokens=told.prompt_tokens, completion_tokens=told.completion_tokens) if told else None


@contextmanager
def our_errors() -> Iterator[None]:
    """What the package raises, as ours. What a service says is neither passed on nor logged: it may quote keys."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _of_status(error) from None
    except (openai.APITimeoutError, TimeoutError) as error:
        raise Deadline("语言模型服务没有及时回答。") from error
    except openai.APIConnectionError as error:
        raise Unavailable("连接不上语言模型服务，请稍后再试。", retry_after_s=RETRY_S) from error
    except (openai.OpenAIError, json.JSONDecodeError) as error:
        raise EngineFailed("语言模型服务没有写完。") from error


def _of_status(error: openai.APIStatusError) -> ServiceError:
    if error.status_code == 429:
        return Overloaded("语言模型服务繁忙，请稍后再试。", retry_after_s=_wait_s(error))
    if error.status_code in (401, 403):
        return Unavailable("语言模型服务不接受所配置的密钥。")
    if error.status_code >= 500:
        return Unavailable("语言模型服务暂不可用，请稍后再试。", retry_after_s=_wait_s(error))
    if error.code == "context_length_exceeded" or "context length" in error.message:  # the second is vLLM's
        return ContextLength("对话太长，超出模型的容量。", param="messages")
    if error.status_code in (400, 413, 422):
        return InvalidInput(f"语言模型服务不接受这个请求（{error.status_code}）。")
    return EngineFailed(f"语言模型服务拒绝了请求（{error.status_code}）。")


def _wait_s(error: openai.APIStatusError) -> float:
    told = error.response.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else RETRY_S
