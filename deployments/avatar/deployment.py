"""Avatar models as Serve replicas: each has several avatars in memory."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.avatar import Frames, FramesRequest, PerformanceRequest
from contracts.catalog import ModelSpec
from contracts.model import Progress
from deployments.avatar.stage import Stage
from deployments.registry import load

SWEEP_S = 5.0  # until an avatar that was deleted is forgotten
MEMORY_MIB = 2_048  # that avatars may take together
MOST_KNOWN = 256  # avatars that Serve remembers a replica for


@serve.deployment(max_ongoing_requests=32, health_check_period_s=1)
class AvatarDeployment:
    """Its model's option `memory_mib` is this wrapper's own, the others are the engine's."""

    def __init__(self, spec: ModelSpec, files: Files) -> None:
        options = dict(spec.options)
        most_bytes = options.pop("memory_mib", MEMORY_MIB) << 20
        self.stage = Stage(spec.id, load(spec.model_copy(update={"options": options})), files, most_bytes)
        self.swept_s = time.monotonic()

    async def render(self, request: FramesRequest) -> Frames:
        await self._draws(request.avatar)
        return await self.stage.render(request)

    async def perform(
        self, request: PerformanceRequest, key: str, made: Provenance
    ) -> AsyncIterator[Progress | Artifact]:
        await self._draws(request.avatar)
        async with aclosing(self.stage.perform(request, key, made)) as items:
            async for item in items:
                yield item

    @serve.multiplexed(max_num_models_per_replica=MOST_KNOWN)
    async def _draws(self, avatar: str) -> str:
        """Tells Serve that this replica has the avatar: its next frames are asked for here."""
        return avatar

    async def check_health(self) -> None:
        """On the way, avatars that were deleted are forgotten."""
        if time.monotonic() > self.swept_s + SWEEP_S:
            self.swept_s = time.monotonic()
            await self.stage.players.forget_deleted()

    def __del__(self) -> None:
        if stage := getattr(self, "stage", None):  # none: its engine could not be loaded
            stage.close()
