"""Speech models as Serve replicas."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from ray import serve

from contracts.catalog import ModelSpec
from contracts.speech import AudioChunk, SpeechRequest
from deployments.registry import load
from deployments.streams import threaded


@serve.deployment(max_ongoing_requests=8)
class SpeechDeployment:
    def __init__(self, spec: ModelSpec) -> None:
        self.engine = load(spec)

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioChunk]:
        async with aclosing(threaded(self.engine.synthesize(request))) as chunks:
            async for chunk in chunks:
                yield chunk

    def __del__(self) -> None:
        self.engine.close()
