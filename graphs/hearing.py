"""Recordings, written down."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from contracts.artifacts import Files
from contracts.engines import Transcription
from contracts.errors import EngineFailed
from contracts.jobs import Job, Steps
from contracts.model import Progress
from contracts.platform import TranscribeTask
from contracts.transcription import Transcript, TranscriptionRequest
from graphs.render import remove


@dataclass(frozen=True)
class Transcriber:
    transcriptions: Mapping[str, Transcription]  # by model
    files: Files

    async def transcribe(self, job: Job, steps: Steps) -> dict[str, Any]:
        """A `Transcript` as data. The recording is not kept (`jobs.expiry`: of a stopped job)."""
        task = TranscribeTask.model_validate(job.params)
        request = TranscriptionRequest(**task.model_dump(exclude={"model"}))
        try:
            return await steps.run("transcribe", _told, self.transcriptions[task.model], request, steps)
        finally:
            await steps.run("tidy", remove, self.files, task.recording)


async def _told(transcription: Transcription, request: TranscriptionRequest, steps: Steps) -> dict[str, Any]:
    return (await heard(transcription, request, steps)).model_dump()


async def heard(transcription: Transcription, request: TranscriptionRequest, steps: Steps | None = None) -> Transcript:
    """What ends the stream; progress on the way is reported."""
    async with aclosing(transcription.transcribe(request)) as items:
        async for item in items:
            if not isinstance(item, Progress):
                return item
            if steps:
                await steps.report(item.fraction)
    raise EngineFailed("模型没有给出结果。")
