"""Steps that several pipelines share: draw a picture, render a film, deliver a copy, each with its key; tidy up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from contracts.artifacts import Artifact, Files, Provenance
from contracts.avatar import PerformanceRequest
from contracts.engines import Avatar, Image, Video
from contracts.errors import EngineFailed
from contracts.image import ImageRequest
from contracts.jobs import Steps
from contracts.model import Progress
from contracts.tasks import scratch_of, uploads_of
from contracts.video import ClipRequest, FilmRequest

KEEPING = 0.98  # how much of a render's progress is over before its film is kept


async def draw(image: Image, request: ImageRequest, key: str, made: Provenance, steps: Steps | None = None) -> str:
    """`steps`: whom to report to, when the picture is all that its job makes."""
    return await _last(image.generate(request, key, made), steps)


async def render(
    video: Video, request: FilmRequest, key: str, made: Provenance, steps: Steps, begun: float = 0.0
) -> str:
    """`begun`: how much of the job's progress was over before."""
    return await _last(video.render(request, key, made), steps, begun)


async def generate(
    video: Video, request: ClipRequest, key: str, made: Provenance, steps: Steps, begun: float = 0.0
) -> str:
    """The same of a film that the model makes by itself."""
    return await _last(video.generate(request, key, made), steps, begun)


async def perform(
    avatar: Avatar, request: PerformanceRequest, key: str, made: Provenance, steps: Steps, begun: float = 0.0
) -> str:
    """The same of an avatar's film."""
    return await _last(avatar.perform(request, key, made), steps, begun)


async def deliver(files: Files, source: str, key: str, made: Provenance) -> str:
    """A copy for people, with the visible mark that its kind bears."""
    kept: Artifact = await asyncio.to_thread(files.deliver, source, key, made)
    return kept.key


async def remove(files: Files, key: str) -> None:
    """A file, or a folder with all that is in it; one that is not there is no matter."""
    await asyncio.to_thread(files.delete, key)


async def forget(files: Files, task_id: int, job_ids: list[str], keep: list[str]) -> None:
    """Remove what jobs of the task made and were given. Late or twice, it takes nothing that another has made since."""
    for job_id in job_ids:
        await remove(files, scratch_of(task_id, job_id))
        await remove(files, uploads_of(task_id, job_id))
    await asyncio.to_thread(files.delete_made, job_ids, keep)


async def _last(stream: AsyncGenerator[Progress | Artifact], steps: Steps | None = None, begun: float = 0.0) -> str:
    """The key of the artifact that ends a stream; progress on the way is reported."""
    artifact: Any = None
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, Artifact):
                artifact = item
            elif steps:
                await steps.report(begun + (1 - begun) * item.fraction * KEEPING)
    if artifact is None:
        raise EngineFailed("模型没有给出结果。")
    return artifact.key
