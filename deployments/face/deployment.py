"""Face models as Serve replicas."""

import asyncio

from ray import serve

from contracts.catalog import ModelSpec
from contracts.sight import SeenFace
from deployments.registry import load
from deployments.upright import upright


@serve.deployment(max_ongoing_requests=32, health_check_period_s=1)
class FaceDeployment:
    def __init__(self, spec: ModelSpec) -> None:
        self.engine = load(spec)

    async def find(self, picture: bytes, embed: bool = False) -> list[SeenFace]:
        return await asyncio.to_thread(self._find, picture, embed)

    def _find(self, picture: bytes, embed: bool) -> list[SeenFace]:
        """In one go: as many pictures as there are threads are decoded at once, not as many as wait."""
        return self.engine.find([upright(picture)], embed)[0]

    def __del__(self) -> None:
        self.engine.close()
