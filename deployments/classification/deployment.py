"""Classification models as Serve replicas: pictures that come together are looked at together."""

import asyncio

from PIL.Image import Image
from ray import serve

from contracts.catalog import ModelSpec
from contracts.sight import Classified
from deployments.registry import load
from deployments.upright import upright


@serve.deployment(max_ongoing_requests=16, health_check_period_s=1)
class ClassificationDeployment:
    def __init__(self, spec: ModelSpec) -> None:
        self.engine = load(spec)

    async def classify(self, picture: bytes) -> list[Classified]:
        return await self._batch(await asyncio.to_thread(upright, picture))

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.005)
    async def _batch(self, pictures: list[Image]) -> list[list[Classified]]:
        return await asyncio.to_thread(self.engine.classify, pictures)

    def __del__(self) -> None:
        self.engine.close()
