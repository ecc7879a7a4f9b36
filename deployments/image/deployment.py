"""Image models as Serve replicas: a picture goes to the store, its key to the caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.catalog import ModelSpec
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from deployments.registry import load
from deployments.streams import threaded, wanted


@serve.deployment(max_ongoing_requests=4, health_check_period_s=1)
class ImageDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.spec, self.files = spec, files
        self.engine = load(spec)

    async def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        made = made.model_copy(update={"model": self.spec.id, "prompt": request.prompt})
        check = partial(self.files.check_wanted, made)
        async with aclosing(wanted(threaded(self.engine.generate(request)), check)) as items:
            async for item in items:
                if isinstance(item, Picture):
                    yield await asyncio.to_thread(self.files.put, key, item.png, made)
                else:
                    yield item

    def __del__(self) -> None:
        self.engine.close()
