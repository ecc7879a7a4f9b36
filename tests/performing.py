"""Engines as replicas run them, beside the test; steps that just call; models that say when they are at work."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from contracts.artifacts import Artifact, Provenance
from contracts.chat import ChatDelta, ChatRequest
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript, TranscriptionRequest
from contracts.video import FilmRequest
from deployments.streams import threaded
from store.artifacts import Artifacts


class Called:
    """Steps without a memory, which tell their names and reports."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.reports: list[float] = []

    async def run(self, name: str, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        self.names.append(name)
        return await call(*args)

    async def each(self, items: Sequence[Mapping[str, Any]], until: float = 1.0) -> list[dict[str, Any]]:
        raise AssertionError("nothing here has parts")

    async def report(self, fraction: float, message: str = "", figures: dict[str, Any] | None = None) -> None:
        self.reports.append(fraction)


class NearImage:
    def __init__(self, model: str, engine: Any, files: Artifacts) -> None:
        self.model, self.engine, self.files = model, engine, files

    async def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "picture" if request.picture else None
            if picture:
                self.files.fetch(request.picture, picture)
            async with aclosing(threaded(self.engine.generate(request, picture))) as items:
                async for item in items:
                    yield self.files.put(key, item.png, made) if isinstance(item, Picture) else item


class NearSpeech:
    def __init__(self, model: str, engine: Any, files: Artifacts) -> None:
        self.model, self.engine, self.files = model, engine, files

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
        with tempfile.TemporaryDirectory() as folder:
            sample = Path(folder) / "sample.wav" if request.sample else None
            if sample:
                self.files.fetch(request.sample, sample)
            async with aclosing(threaded(self.engine.synthesize(request, sample))) as chunks:
                async for chunk in chunks:
                    yield chunk


class NearVideo:
    footage = ()

    def __init__(self, model: str, engine: Any, files: Artifacts) -> None:
        self.model, self.engine, self.files = model, engine, files

    async def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        with tempfile.TemporaryDirectory() as folder:
            keys = {shot.picture for shot in request.shots} | set(request.narration)
            inputs = {key: Path(folder) / f"{number}{Path(key).suffix}" for number, key in enumerate(sorted(keys))}
            for name, path in inputs.items():
                self.files.fetch(name, path)
            output = Path(folder) / "film.mp4"
            async with aclosing(threaded(self.engine.render(request, inputs, output))) as steps:
                async for progress in steps:
                    yield progress
            yield self.files.put(key, output, made)


class Breaks:
    """Begins a film, and ends so."""

    model, footage = "breaks", ()

    def __init__(self, end: BaseException) -> None:
        self.end = end

    async def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        yield Progress(fraction=0.5)
        raise self.end


class Hears:
    """Hears these words in any recording."""

    model = "hears"

    def __init__(self, text: str, language: str = "zh") -> None:
        self.text, self.language = text, language
        self.asked: list[str] = []

    async def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Transcript]:
        self.asked.append(request.recording)
        yield Transcript(text=self.text, language=self.language)


class Duet:
    """A chat and a speech model which each wait for the other: they end only if they work at once."""

    model = "duet"

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        self.events: list[str] = []
        self.spoken, self.written = asyncio.Event(), asyncio.Event()  # the first has begun to sound; all is written
        self.closed = False

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        first, *rest = self.sentences
        try:
            yield ChatDelta(text=first + rest[0][:1])  # one settles when the next begins
            await self.spoken.wait()
            self.events.append("goes on writing")
            yield ChatDelta(text=rest[0][1:] + "".join(rest[1:]), finish="stop")
            self.written.set()
        finally:
            self.closed = True

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
        self.events.append(f"begins {request.text}")
        self.spoken.set()
        await self.written.wait()
        yield AudioChunk(pcm=request.text.encode("utf-16-le"), sample_rate=16_000)
        self.events.append(f"ends {request.text}")
