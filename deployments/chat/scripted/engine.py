"""A grammar that writes stories, sales copy, edits and small talk: for machines with no language model."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from contracts.chat import ChatDelta, ChatRequest, Message, Usage
from contracts.errors import ContextLength, InvalidInput
from contracts.story import Story
from deployments.chat.ending import Ending
from deployments.chat.scripted import livestream, polish, story, talk, task

_TOKEN = re.compile(r"\s*(?:[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]+|\S)\s*")
LONGEST = 32_768  # characters of a conversation


class Scripted:
    """Deterministic for the messages and the seed; no seed means one that is derived from the messages.

    `temperature` is ignored: the seed alone decides. One token is a CJK character, a word or a punctuation mark.
    """

    def load(self) -> None:
        """Nothing to load: the tables are part of the program."""

    def generate(self, request: ChatRequest) -> Iterator[ChatDelta]:
        """The answer a few tokens at a time. A schema other than a story's is `InvalidInput`."""
        check_length(request)
        check_schema(request)
        ending = Ending(request.stop)
        tokens = _TOKEN.findall(ending.feed(answer(request.messages, request.seed)) + ending.rest())
        written = tokens[: request.max_tokens]
        asked = sum(len(_TOKEN.findall(message.content)) for message in request.messages)
        usage = Usage(prompt_tokens=asked, completion_tokens=len(written))
        yield from stream(written, "length" if len(tokens) > request.max_tokens else "stop", usage)

    def close(self) -> None:
        """Nothing is held."""


def answer(messages: Sequence[Message], seed: int | None = None) -> str:
    """The whole answer to a conversation."""
    rng = Random(seed_of(messages, seed))  # noqa: S311
    asked = task.read(messages)
    match asked:
        case task.StoryTask():
            return json.dumps(story.write(asked, rng).model_dump(), ensure_ascii=False)
        case task.ProductTask():
            return livestream.write(asked, rng)
        case task.EditTask():
            return polish.edit(asked, rng)
        case task.TalkTask():
            return talk.reply(asked, rng)


def seed_of(messages: Sequence[Message], seed: int | None) -> int:
    """A number that depends on every message, and on the seed where there is one."""
    digest = hashlib.sha256(repr([(message.role, message.content) for message in messages]).encode())
    digest.update(repr(seed).encode())
    return int.from_bytes(digest.digest()[:8])


def check_length(request: ChatRequest) -> None:
    """It reads as much as a language model of a usual size."""
    said = sum(len(message.content) for message in request.messages)
    if said > LONGEST:
        raise ContextLength(f"对话有 {said} 个字符，最多 {LONGEST} 个。", param="messages")


def check_schema(request: ChatRequest) -> None:
    """Only stories are written as JSON, and only with a story's fields."""
    schema = request.json_schema
    if schema is None:
        return
    if not isinstance(task.read(request.messages), task.StoryTask):
        raise InvalidInput("The scripted engine writes JSON for stories only.", param="json_schema")
    if schema == {"type": "object"}:  # any: a story is one
        return
    fields = set(Story.model_fields)
    wanted: Any = schema.get("required", []), schema.get("properties", {})
    if not wanted[1] or not set(wanted[0]) | set(wanted[1]) <= fields:
        raise InvalidInput("The scripted engine knows the story's schema only.", param="json_schema")


def stream(tokens: Sequence[str], finish: str, usage: Usage | None = None) -> Iterator[ChatDelta]:
    """The tokens three at a time; the last piece says why it ended."""
    pieces = ["".join(tokens[start : start + 3]) for start in range(0, len(tokens), 3)] or [""]
    for piece in pieces[:-1]:
        yield ChatDelta(text=piece)
    yield ChatDelta.model_validate({"text": pieces[-1], "finish": finish, "usage": usage})
