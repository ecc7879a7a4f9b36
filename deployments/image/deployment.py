"""Image models as Serve replicas: a picture to change comes from the store, the one that is made goes there."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

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
        with tempfile.TemporaryDirectory() as folder:
            picture = await asyncio.to_thread(self._fetch, request.picture, Path(folder)) if request.picture else None
            async with aclosing(wanted(threaded(self.engine.generate(request, picture)), check)) as items:
                async for item in items:
                    if isinstance(item, Picture):
                        yield await asyncio.to_thread(self.files.put, key, item.png, made)
                    else:
                        yield item

    def _fetch(self, key: str, folder: Path) -> Path:
        """A local copy."""
        path = folder / f"picture{Path(key).suffix}"
        self.files.fetch(key, path)
        return path

    def __del__(self) -> None:
        self.engine.close()
