"""A spoken conversation: a recording is heard, thought about and answered aloud, every stage ahead of the next."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from contracts import prompts
from contracts.chat import ChatRequest, Message
from contracts.engines import Chat, Speech, Transcription
from contracts.errors import EngineFailed, InvalidInput
from contracts.speech import SpeechRequest
from contracts.transcription import TranscriptionRequest
from graphs.hearing import heard
from graphs.sounds import Sound, joined
from graphs.split import readable, sentences

T = TypeVar("T")
_DONE = object()
LONGEST_REPLY = 512  # tokens
SENTENCES, PIECES = 4, 8  # that a stage may be ahead of the next
PIECE_S = 0.5  # of sound, at most: little is under way when an answer is stopped


@dataclass(frozen=True)
class Question:
    """`recording` and `sample`, the voice to answer in, are artifact keys; `before`: what was said so far."""

    recording: str
    sample: str = ""
    language: str = ""
    before: Sequence[Message] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Models:
    transcription: Transcription
    chat: Chat
    speech: Speech


@dataclass(frozen=True)
class Heard:
    text: str
    language: str  # ISO 639-1; empty: not known


@dataclass(frozen=True)
class Sentence:
    """The next of the answer, told before it sounds. `start_s` is from the start of the answer's sound."""

    number: int
    text: str
    start_s: float


@dataclass(frozen=True)
class Said:
    """The next piece of the sentence's sound."""

    number: int
    sound: Sound
    start_s: float


@dataclass(frozen=True)
class Frame:
    """A JPEG, seen from `start_s` of the answer's sound until the next one."""

    jpeg: bytes
    start_s: float


Piece = Sentence | Said | Frame
Show = Callable[[AsyncGenerator[Piece]], AsyncGenerator[Piece]]  # puts frames of who speaks among the sounds


@dataclass(frozen=True)
class Talk:
    heard: str
    reply: str
    sound: Sound  # of the reply


async def talk(question: Question, models: Models) -> Talk:
    """The whole of what `answered` gives."""
    asked, said, sounds = "", [], []
    async with aclosing(answered(question, models)) as pieces:
        async for piece in pieces:
            match piece:
                case Heard():
                    asked = piece.text
                case Sentence():
                    said.append(piece.text)
                case Said():
                    sounds.append(piece.sound)
    return Talk(asked, "".join(said).strip(), joined(sounds))


async def answered(question: Question, models: Models, show: Show | None = None) -> AsyncGenerator[Heard | Piece]:
    """What was heard, then the answer, piece by piece: a sentence is spoken while the next one is being written.

    A recording in which nobody speaks: `InvalidInput`. Who leaves early (`aclosing`) stops every model.
    """
    request = TranscriptionRequest(recording=question.recording, language=question.language)
    told = await heard(models.transcription, request)
    words = told.text.strip()
    if not readable(words):
        raise InvalidInput("录音里没有听到说话，请重新录音。", param="audio")
    yield Heard(words, told.language)
    reply = ahead(written(models.chat, words, question), SENTENCES)
    pieces = aloud(reply, models.speech, question.sample)
    async with aclosing(ahead(show(pieces) if show else pieces, PIECES)) as shown:
        async for piece in shown:
            yield piece


async def written(chat: Chat, words: str, question: Question) -> AsyncGenerator[str]:
    """The reply, each sentence as soon as it is settled; the first may be a part of one, so that it sounds sooner."""
    messages = prompts.small_talk(words, question.before)
    request = ChatRequest(messages=messages, max_tokens=LONGEST_REPLY, seed=question.seed)
    async with aclosing(chat.generate(request)) as deltas:
        async for sentence in sentences((delta.text async for delta in deltas), soon=True):
            yield sentence


async def aloud(reply: AsyncGenerator[str], speech: Speech, sample: str) -> AsyncGenerator[Piece]:
    """Each sentence, then its sound. Times are sums of samples, so that they do not drift."""
    number, at = 0, Fraction(0)
    async with aclosing(reply):
        async for text in reply:
            if not readable(text):
                continue  # only a reply without a single word has such a piece
            yield Sentence(number, text, float(at))
            begun = at
            async with aclosing(speech.synthesize(SpeechRequest(text=text, sample=sample))) as chunks:
                async for chunk in chunks:
                    for sound in Sound(chunk.pcm, chunk.sample_rate).parts(PIECE_S):
                        yield Said(number, sound, float(at))
                        at += Fraction(len(sound.pcm) // 2, sound.rate_hz)
            if at == begun:
                raise EngineFailed("语音模型没有说出声音。")
            number += 1
    if number == 0:
        raise EngineFailed("模型没有写出回复。")


async def ahead(items: AsyncGenerator[T], most: int) -> AsyncGenerator[T]:
    """The same items, made while those before them are used; not more than `most` wait.

    Who leaves early (`aclosing`) closes them.
    """
    made: asyncio.Queue[object] = asyncio.Queue()
    room = asyncio.Semaphore(most)

    async def make() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await room.acquire()
                    made.put_nowait(item)
        finally:
            made.put_nowait(_DONE)

    making = asyncio.create_task(make())
    try:
        while (item := await made.get()) is not _DONE:
            room.release()
            yield item  # type: ignore[misc]  # an object that is not _DONE is a T
        await making  # what ended it is raised here
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
