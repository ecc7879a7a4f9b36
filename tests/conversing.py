"""The other side of `/ws/converse`, and models that show who said what to them."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import websockets

from contracts.artifacts import Files
from contracts.chat import ChatDelta, ChatRequest
from contracts.transcription import Transcript, TranscriptionRequest

RATE_HZ, PART = 16_000, 3_200  # of what is sent; bytes at a time
WITH_MORE = ("audio", "frame")  # a binary message follows
LATEST_S = 60.0


class Talker:
    """Heartbeats are passed over; what follows `audio` and `frame` is their `content`."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    async def begin(self, **asked: Any) -> dict[str, Any]:
        await self.tell("start", **asked)
        return await self.next()

    async def tell(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, sound: bytes) -> None:
        """An utterance, as it is recorded."""
        for start in range(0, len(sound), PART):
            await self.socket.send(sound[start : start + PART])
        await self.tell("end")

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(LATEST_S):
            message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["type"] == "ping":
                return await self.next()
            if message["type"] in WITH_MORE:
                content = await self.socket.recv()
                assert isinstance(content, bytes) and len(content) == message["size_bytes"]
                message["content"] = content
        return message

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """All messages up to the first of a kind."""
        messages = [await self.next()]
        while messages[-1]["type"] not in kinds:
            messages.append(await self.next())
        return messages

    async def ask(self, sound: bytes) -> list[dict[str, Any]]:
        """The whole answer to an utterance."""
        await self.say(sound)
        return await self.until("done", "error")


@asynccontextmanager
async def talking(url: str, **headers: str) -> AsyncGenerator[Talker]:
    async with websockets.connect(url, additional_headers=headers, max_size=4 << 20) as socket:
        yield Talker(socket)


def tone(frames: int) -> bytes:
    """Raw sound of so many samples."""
    return b"\x00\x08\x00\xf8" * (frames // 2)


def of(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in messages if each["type"] == kind]


class Counts:
    """Hears how many samples a recording has: each caller's own number."""

    model = "counts"

    def __init__(self, files: Files) -> None:
        self.files = files
        self.languages: list[str] = []

    async def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Transcript]:
        content = await asyncio.to_thread(self.files.read, request.recording)
        self.languages.append(request.language)
        with wave.open(io.BytesIO(content)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
            yield Transcript(text=str(file.getnframes()), language="zh")


class Repeats:
    """Answers with all that it was told in the conversation, a sentence for each message of the user's."""

    model = "repeats"

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        for message in request.messages:
            if message.role == "user":
                await asyncio.sleep(0.01)  # all take their turns
                yield ChatDelta(text=f"你说了{message.content}。")
        yield ChatDelta(text="", finish="stop")


class Rambles:
    """Goes on until it is stopped."""

    model = "rambles"

    def __init__(self) -> None:
        self.running, self.sentences = 0, 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.running += 1
        try:
            while True:
                self.sentences += 1
                yield ChatDelta(text=f"这是第{self.sentences}句话，后面还有很多很多句。")
        finally:
            self.running -= 1
