"""A spoken conversation: a recording is heard, thought about and answered aloud."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from contracts import prompts
from contracts.chat import ChatRequest
from contracts.engines import Chat, Speech, Transcription
from contracts.errors import EngineFailed, InvalidInput
from contracts.transcription import TranscriptionRequest
from graphs.hearing import heard
from graphs.sounds import Sound, joined, spoken
from graphs.split import readable, sentences

T = TypeVar("T")
_DONE = object()
LONGEST_REPLY = 512  # tokens


@dataclass(frozen=True)
class Talk:
    heard: str
    reply: str
    sound: Sound  # of the reply


async def talk(
    recording: str, sample: str, *, transcription: Transcription, chat: Chat, speech: Speech, seed: int | None = None
) -> Talk:
    """Speak the reply in the sample's voice, sentence by sentence, while the next one is being written.

    `recording` and `sample` are artifact keys. A recording in which nobody speaks: `InvalidInput`.
    """
    words = (await heard(transcription, TranscriptionRequest(recording=recording))).text.strip()
    if not readable(words):
        raise InvalidInput("录音里没有听到说话，请重新录音。", param="audio")
    said, sounds = [], []
    async with aclosing(ahead(written(chat, words, seed))) as reply:
        async for sentence in reply:
            if not readable(sentence):
                continue  # only a reply without a single word has such a piece
            said.append(sentence)
            sounds.append(await spoken(speech, sentence, sample))
    if not said:
        raise EngineFailed("模型没有写出回复。")
    return Talk(words, "".join(said).strip(), joined(sounds))


async def written(chat: Chat, heard: str, seed: int | None) -> AsyncGenerator[str]:
    """The reply, each sentence as soon as it is settled."""
    request = ChatRequest(messages=prompts.small_talk(heard), max_tokens=LONGEST_REPLY, seed=seed)
    async with aclosing(chat.generate(request)) as deltas:
        async for sentence in sentences(delta.text async for delta in deltas):
            yield sentence


async def ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The same items, made while those before them are used; who leaves early (`aclosing`) closes them."""
    made: asyncio.Queue[object] = asyncio.Queue()

    async def make() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    made.put_nowait(item)
        finally:
            made.put_nowait(_DONE)

    making = asyncio.create_task(make())
    try:
        while (item := await made.get()) is not _DONE:
            yield item  # type: ignore[misc]  # an object that is not _DONE is a T
        await making  # what ended it is raised here
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
