"""Speech from a text, sent while it is made: https://platform.openai.com/docs/api-reference/audio/createSpeech."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from api.files import GENERATED
from api.limits import MIB, body_limit
from api.openai.client import Client
from api.openai.models import find_model
from api.present import while_present
from api.state import Here, State
from api.voices import Speaking, speaking
from contracts.errors import EngineFailed, InvalidInput
from contracts.speech import AudioChunk, SpeechRequest
from graphs.encoding import ENCODINGS, Format, encoded
from graphs.split import readable
from store.labels import Label

router = APIRouter(prefix="/v1/audio")
LONGEST = 4_096  # characters
NEUTRAL = {"instructions": ("",), "stream_format": ("audio",)}  # all that may be said of what is not to be had here


def _spoken(value: str) -> str:
    if not readable(value):
        raise ValueError("没有可以读出的文字")
    return value


class NewSpeech(BaseModel):
    """`voice` is one of `/api/audio/voices`; absent: the model's own."""

    model_config = ConfigDict(extra="allow")

    model: str | None = Field(None, max_length=200)
    input: Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_spoken)]
    voice: str | None = Field(None, max_length=128)
    response_format: Format = "mp3"
    speed: float = Field(1.0, ge=0.25, le=4, allow_inf_nan=False)

    def check(self) -> None:
        """What cannot be had here is `InvalidInput`."""
        for name, value in (self.model_extra or {}).items():
            if value is not None and value not in NEUTRAL.get(name, ()):
                raise InvalidInput("不支持这个参数。" if name in NEUTRAL else "未知字段。", param=name)


@router.post("/speech", response_class=StreamingResponse)
@body_limit(MIB)
async def speak(body: NewSpeech, state: Here, caller: Client, request: Request) -> Response:
    """Refused before the first sound, it is a plain refusal; what breaks off later ends without its last chunk."""
    body.check()
    speaks = await asyncio.to_thread(_speaks, state, caller, body)
    asked = SpeechRequest(text=body.input, voice=speaks.voice, sample=speaks.sample, speed=body.speed)
    headers = GENERATED | ({"X-Troupe-Model": speaks.model.id} if speaks.stands_in else {})
    label = Label.generated(state.settings.producer, uuid.uuid4().hex, "").as_json()
    async with AsyncExitStack() as held:
        held.enter_context(state.in_flight.one())
        speech = state.engines.speeches[speaks.model.id]
        chunks = await held.enter_async_context(aclosing(speech.synthesize(asked)))
        first = await while_present(request, _next(chunks))
        if first is None:
            raise EngineFailed("语音模型没有说出声音。")
        pieces = encoded(_after(first, chunks), body.response_format, label)
        return HeldStream(pieces, held.pop_all(), headers, ENCODINGS[body.response_format].media_type)


class HeldStream(StreamingResponse):
    """Gives back what it holds whether or not its first piece is ever asked for."""

    def __init__(
        self, pieces: AsyncIterator[bytes], held: AsyncExitStack, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self.held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.held:
            await super().__call__(scope, receive, send)


def _speaks(state: State, caller: Client, body: NewSpeech) -> Speaking:
    """Who says it. A model that is not known is not found, as in every answer to OpenAI's clients."""
    if name := body.model or "":
        find_model(state, "speech", name)
    return speaking(state, caller, body.voice or "", "", body.input, name)


async def _next(chunks: AsyncGenerator[AudioChunk]) -> AudioChunk | None:
    return await anext(chunks, None)


async def _after(first: AudioChunk, chunks: AsyncGenerator[AudioChunk]) -> AsyncGenerator[AudioChunk]:
    yield first
    async for chunk in chunks:
        yield chunk
