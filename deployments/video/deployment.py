"""Film engines as Serve replicas: inputs come from the store, the film goes there."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.catalog import ModelSpec
from contracts.model import Progress
from contracts.video import FilmRequest
from deployments.registry import load
from deployments.streams import threaded, wanted


@serve.deployment(max_ongoing_requests=2, health_check_period_s=1)
class VideoDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.spec, self.files = spec, files
        self.engine = load(spec)

    async def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        made = made.model_copy(update={"model": self.spec.id})
        with tempfile.TemporaryDirectory() as folder:
            inputs = await asyncio.to_thread(self._fetch, request, Path(folder))
            output = Path(folder) / "film.mp4"
            check = partial(self.files.check_wanted, made)
            async with aclosing(wanted(threaded(self.engine.render(request, inputs, output)), check)) as steps:
                async for progress in steps:
                    yield progress
            yield await asyncio.to_thread(self.files.put, key, output, made)

    def _fetch(self, request: FilmRequest, folder: Path) -> dict[str, Path]:
        """A local copy of every file that the request names."""
        keys = {shot.picture for shot in request.shots} | set(request.narration)
        inputs = {key: folder / f"{number}{Path(key).suffix}" for number, key in enumerate(sorted(keys))}
        for key, path in inputs.items():
            self.files.fetch(key, path)
        return inputs

    def __del__(self) -> None:
        self.engine.close()
