"""Speech models as Serve replicas: the recording of a voice comes from the store."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from ray import serve

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.speech import AudioChunk, SpeechRequest
from deployments.registry import load
from deployments.streams import threaded


@serve.deployment(max_ongoing_requests=8, health_check_period_s=1)
class SpeechDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.files = files
        self.engine = load(spec)

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioChunk]:
        with tempfile.TemporaryDirectory() as folder:
            sample = await asyncio.to_thread(self._fetch, request.sample, Path(folder)) if request.sample else None
            async with aclosing(threaded(self.engine.synthesize(request, sample))) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _fetch(self, key: str, folder: Path) -> Path:
        """A local copy."""
        path = folder / f"sample{Path(key).suffix}"
        self.files.fetch(key, path)
        return path

    def __del__(self) -> None:
        self.engine.close()
