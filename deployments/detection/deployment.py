"""Detection models as Serve replicas: pictures that come together are looked at together."""

import asyncio

from PIL.Image import Image
from ray import serve

from contracts.catalog import ModelSpec
from contracts.sight import Detected
from deployments.registry import load
from deployments.upright import upright


@serve.deployment(max_ongoing_requests=16, health_check_period_s=1)
class DetectionDeployment:
    def __init__(self, spec: ModelSpec) -> None:
        self.engine = load(spec)

    async def detect(self, picture: bytes) -> list[Detected]:
        return await self._batch(await asyncio.to_thread(upright, picture))

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.005)
    async def _batch(self, pictures: list[Image]) -> list[list[Detected]]:
        return await asyncio.to_thread(self.engine.detect, pictures)

    def __del__(self) -> None:
        self.engine.close()
