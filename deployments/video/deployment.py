"""Film engines as Serve replicas: inputs come from the store, the film goes there.

An engine has one of the two verbs (`deployments.video.engine`).
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ray import serve

from contracts.artifacts import Artifact, Files, Provenance
from contracts.catalog import ModelSpec
from contracts.model import Progress
from contracts.video import ClipRequest, FilmRequest
from deployments.registry import load
from deployments.revisions import revision_of_model
from deployments.streams import threaded, wanted


@serve.deployment(max_ongoing_requests=2, health_check_period_s=1)
class VideoDeployment:
    def __init__(self, spec: ModelSpec, files: Files) -> None:
        self.spec, self.files = spec, files
        self.engine = load(spec)
        self.revision = revision_of_model(spec)

    async def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        keys = {shot.picture for shot in request.shots} | set(request.narration)

        def work(inputs: dict[str, Path], output: Path) -> Iterator[Progress]:
            return self.engine.render(request, inputs, output)

        async with aclosing(self._made(keys, work, key, made)) as items:
            async for item in items:
                yield item

    async def generate(self, request: ClipRequest, key: str, made: Provenance) -> AsyncIterator[Progress | Artifact]:
        """The film tells of all that was asked."""
        asked = request.model_dump(exclude={"prompt", "picture", "mark"})
        made = made.model_copy(update={"prompt": request.prompt, "parameters": made.parameters | asked})

        def work(inputs: dict[str, Path], output: Path) -> Iterator[Progress]:
            return self.engine.generate(request, inputs.get(request.picture), output)

        async with aclosing(self._made({request.picture} - {""}, work, key, made)) as items:
            async for item in items:
                yield item

    async def _made(
        self,
        keys: set[str],
        work: Callable[[dict[str, Path], Path], Iterator[Progress]],
        key: str,
        made: Provenance,
    ) -> AsyncGenerator[Progress | Artifact]:
        told = made.parameters | {"revision": self.revision}
        made = made.model_copy(update={"model": self.spec.id, "parameters": told})
        with tempfile.TemporaryDirectory() as folder:
            inputs = await asyncio.to_thread(self._fetch, keys, Path(folder))
            output = Path(folder) / "film.mp4"
            check = partial(self.files.check_wanted, made)
            async with aclosing(wanted(threaded(work(inputs, output)), check)) as steps:
                async for progress in steps:
                    yield progress
            yield await asyncio.to_thread(self.files.put, key, output, made)

    def _fetch(self, keys: set[str], folder: Path) -> dict[str, Path]:
        """A local copy of every file."""
        inputs = {key: folder / f"{number}{Path(key).suffix}" for number, key in enumerate(sorted(keys))}
        for key, path in inputs.items():
            self.files.fetch(key, path)
        return inputs

    def __del__(self) -> None:
        self.engine.close()
