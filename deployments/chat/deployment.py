"""Chat models as Serve replicas."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from ray import serve

from contracts.catalog import ModelSpec
from contracts.chat import ChatDelta, ChatRequest
from deployments.registry import load
from deployments.streams import asynchronous


@serve.deployment(max_ongoing_requests=32, health_check_period_s=1)
class ChatDeployment:
    def __init__(self, spec: ModelSpec) -> None:
        self.engine = load(spec)

    async def generate(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        async with aclosing(asynchronous(self.engine.generate(request))) as deltas:
            async for delta in deltas:
                yield delta

    def check_health(self) -> None:
        """Serve starts a replica anew whose engine is dead."""
        if check := getattr(self.engine, "check_health", None):
            check()

    def __del__(self) -> None:
        if engine := getattr(self, "engine", None):  # none: it could not be loaded
            engine.close()
