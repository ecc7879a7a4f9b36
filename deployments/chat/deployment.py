"""Chat models as Serve replicas."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from ray import serve

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Unavailable
from deployments.chat.adapters import Adapters
from deployments.metrics import EVICTIONS
from deployments.registry import load
from deployments.streams import asynchronous

SWEEP_S = 5.0  # until an adapter that was deleted is unloaded


@serve.deployment(max_ongoing_requests=32, health_check_period_s=1)
class ChatDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.model, self.engine = spec.id, load(spec)
        self.adapters = Adapters(files, spec.options.get("weights", ""), spec.options.get("revision", ""))
        self.swept_s = time.monotonic()

    async def generate(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        async with self._fitted(request) as fitted, aclosing(asynchronous(self.engine.generate(fitted))) as deltas:
            async for delta in deltas:
                yield delta

    @asynccontextmanager
    async def _fitted(self, request: ChatRequest) -> AsyncGenerator[ChatRequest]:
        """The request with its adapter's folder, which stays as long."""
        if not request.adapter:
            yield request
            return
        if not getattr(self.engine, "adapts", False):
            raise Unavailable(
                "这个模型的部署没有启用适配器，请在 serve_config.yaml 的 options 中设置 adapters。", param="model"
            )
        lending = asyncio.create_task(asyncio.to_thread(self.adapters.lend, request.adapter))
        try:
            yield request.model_copy(update={"adapter": str(await asyncio.shield(lending))})
        finally:
            if lending.done():
                self._give_back(request.adapter, lending)
            else:
                lending.add_done_callback(lambda lent: self._give_back(request.adapter, lent))

    def _give_back(self, adapter: str, lent: asyncio.Task[Path]) -> None:
        """Also where the caller left while it was fetched."""
        if not lent.cancelled() and lent.exception() is None:
            self.adapters.give_back(adapter)

    async def check_health(self) -> None:
        """Serve starts a replica anew whose engine is dead. On the way, deleted adapters are unloaded."""
        if check := getattr(self.engine, "check_health", None):
            check()
        if time.monotonic() > self.swept_s + SWEEP_S:
            self.swept_s = time.monotonic()
            for folder in await asyncio.to_thread(self.adapters.outdated):
                EVICTIONS.inc(1, {"model": self.model})
                await self.engine.forget(str(folder))
                await asyncio.to_thread(shutil.rmtree, folder)

    def __del__(self) -> None:
        if engine := getattr(self, "engine", None):  # none: it could not be loaded
            engine.close()
        if adapters := getattr(self, "adapters", None):
            adapters.close()
