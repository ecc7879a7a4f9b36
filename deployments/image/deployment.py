"""Image models as Serve replicas: a picture to change comes from the store, the one that is made goes there.

Many calls at a time: an engine may draw them together.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.catalog import ModelSpec
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from deployments.registry import load
from deployments.revisions import revision_of_model
from deployments.streams import threaded, wanted

AT_ONCE = 32


@serve.deployment(max_ongoing_requests=AT_ONCE, health_check_period_s=1)
class ImageDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.spec, self.files = spec, files
        self.engine = load(spec)
        self.revision = revision_of_model(spec)
        self.pool = ThreadPoolExecutor(2 * AT_ONCE, thread_name_prefix="pictures")

    async def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        """The picture tells of the model's revision and all that was asked."""
        asked = request.model_dump(exclude={"prompt", "picture"}) | {"revision": self.revision}
        made = made.model_copy(update={"model": self.spec.id, "prompt": request.prompt, "parameters": asked})
        check = partial(self.files.check_wanted, made)
        with tempfile.TemporaryDirectory() as folder:
            picture = await asyncio.to_thread(self._fetch, request.picture, Path(folder)) if request.picture else None
            async with aclosing(wanted(threaded(self.engine.generate(request, picture), self.pool), check)) as items:
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
