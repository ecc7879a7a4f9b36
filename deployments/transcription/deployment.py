"""Transcription models as Serve replicas: the recording comes from the store."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from ray import serve

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.model import Progress
from contracts.transcription import Transcript, TranscriptionRequest
from deployments.registry import load
from deployments.streams import threaded


@serve.deployment(max_ongoing_requests=8, health_check_period_s=1)
class TranscriptionDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.files = files
        self.engine = load(spec)

    async def transcribe(self, request: TranscriptionRequest) -> AsyncIterator[Progress | Transcript]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"recording{Path(request.recording).suffix}"
            await asyncio.to_thread(self.files.fetch, request.recording, path)
            items = self.engine.transcribe(path, **request.model_dump(exclude={"recording"}))
            async with aclosing(threaded(items)) as heard:
                async for item in heard:
                    yield item

    def __del__(self) -> None:
        self.engine.close()
