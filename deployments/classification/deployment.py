"""Classification models as Serve replicas: pictures that come together are looked at together."""

import asyncio

from PIL.Image import Image
from ray import serve

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.sight import Classified
from deployments.classification.engine import ClassificationEngine
from deployments.classification.taught import taught
from deployments.registry import load
from deployments.upright import upright

KEPT = 8  # models that were taught, beside the replica's own


@serve.deployment(max_ongoing_requests=16, health_check_period_s=1)
class ClassificationDeployment:
    """A call's multiplexed model id is the key of a model that a caller has taught; without it the own one answers."""

    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.engine: ClassificationEngine = load(spec)
        self.files, self.device = files, str(spec.options.get("device", ""))

    async def classify(self, picture: bytes) -> list[Classified]:
        return await self._batch(await asyncio.to_thread(upright, picture))

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.005)
    async def _batch(self, pictures: list[Image]) -> list[list[Classified]]:
        """All for one model: Serve sees to it."""
        key = serve.get_multiplexed_model_id()
        engine = await self._taught(key) if key else self.engine
        return await asyncio.to_thread(engine.classify, pictures)

    @serve.multiplexed(max_num_models_per_replica=KEPT)
    async def _taught(self, key: str) -> ClassificationEngine:
        return await asyncio.to_thread(taught, self.files, key, self.device)

    def __del__(self) -> None:
        if engine := getattr(self, "engine", None):  # none: it could not be loaded
            engine.close()
