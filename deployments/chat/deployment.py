"""Chat models as Serve replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from ray import serve

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Unavailable
from deployments.chat.adapters import Adapters
from deployments.registry import load
from deployments.streams import asynchronous


@serve.deployment(max_ongoing_requests=32, health_check_period_s=1)
class ChatDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.engine, self.adapters = load(spec), Adapters(files)

    async def generate(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        if request.adapter:
            request = request.model_copy(update={"adapter": await self._folder(request.adapter)})
        async with aclosing(asynchronous(self.engine.generate(request))) as deltas:
            async for delta in deltas:
                yield delta

    async def _folder(self, adapter: str) -> str:
        if not getattr(self.engine, "adapts", False):
            raise Unavailable(
                "这个模型的部署没有启用适配器，请在 serve_config.yaml 的 options 中设置 adapters。", param="model"
            )
        return str(await asyncio.to_thread(self.adapters.fetched, adapter))

    def check_health(self) -> None:
        """Serve starts a replica anew whose engine is dead."""
        if check := getattr(self.engine, "check_health", None):
            check()

    def __del__(self) -> None:
        if engine := getattr(self, "engine", None):  # none: it could not be loaded
            engine.close()
        if adapters := getattr(self, "adapters", None):
            adapters.close()
