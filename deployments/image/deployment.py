"""Image models as Serve replicas: a picture to change comes from the store, the one that is made goes there.

Many calls at a time: an engine may draw them together.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.catalog import ModelSpec
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from deployments.image.engine import ImageEngine
from deployments.image.models import ImageModels
from deployments.streams import threaded, wanted

AT_ONCE = 32
MOST_KNOWN = 256  # models that Serve remembers a replica for


@serve.deployment(max_ongoing_requests=AT_ONCE, health_check_period_s=1)
class ImageDeployment:
    """One model, or several that take turns in memory; the first is loaded before the replica is ready."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, specs: list[ModelSpec], files: Files, memory_mib: int
    ) -> None:
        self.files = files
        self.models = ImageModels(specs, memory_mib << 20)
        self.pool = ThreadPoolExecutor(2 * AT_ONCE, thread_name_prefix="pictures")
        async with self.models.lent(specs[0].id):
            pass

    async def generate(
        self, model: str, request: ImageRequest, key: str, made: Provenance
    ) -> AsyncIterator[Progress | Artifact]:
        """The picture tells of the model's revision and all that was asked."""
        if len(self.models.specs) > 1:
            await self._has(model)
        async with self.models.lent(model) as loaded:
            asked = request.model_dump(exclude={"prompt", "picture"}) | {"revision": loaded.revision}
            made = made.model_copy(update={"model": model, "prompt": request.prompt, "parameters": asked})
            async with aclosing(self._drawn(loaded.engine, request, made)) as items:
                async for item in items:
                    if isinstance(item, Picture):
                        yield await asyncio.to_thread(self.files.put, key, item.png, made)
                    else:
                        yield item

    async def _drawn(
        self, engine: ImageEngine, request: ImageRequest, made: Provenance
    ) -> AsyncGenerator[Progress | Picture]:
        check = partial(self.files.check_wanted, made)
        with tempfile.TemporaryDirectory() as folder:
            picture = await asyncio.to_thread(self._fetch, request.picture, Path(folder)) if request.picture else None
            async with aclosing(wanted(threaded(engine.generate(request, picture), self.pool), check)) as items:
                async for item in items:
                    yield item

    @serve.multiplexed(max_num_models_per_replica=MOST_KNOWN)
    async def _has(self, model: str) -> str:
        """Tells Serve that this replica has the model: its next pictures are asked for here."""
        return model

    def _fetch(self, key: str, folder: Path) -> Path:
        """A local copy."""
        path = folder / f"picture{Path(key).suffix}"
        self.files.fetch(key, path)
        return path

    def __del__(self) -> None:
        if models := getattr(self, "models", None):
            models.close()
