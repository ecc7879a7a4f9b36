"""A text as a sound file, in a voice of the model's own or of a recording."""

import asyncio
import io
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from contracts.artifacts import Artifact, Files
from contracts.engines import Speech
from contracts.jobs import Job, Steps
from contracts.speech import SpeechRequest
from contracts.tasks import SpeechTask
from graphs.render import remove


@dataclass(frozen=True)
class Speaker:
    speeches: Mapping[str, Speech]  # by model
    files: Files

    async def speak(self, job: Job, steps: Steps) -> dict[str, Any]:
        """An MP3 under a name that nobody can guess. A recording that is not lent is not kept (`jobs.expiry`: of a
        stopped job).
        """
        try:
            return await steps.run("speak", self._speak, job)
        finally:
            if (sample := job.params["sample"]) and not job.params.get("lent"):
                await steps.run("tidy", remove, self.files, sample)

    async def _speak(self, job: Job) -> dict[str, Any]:
        task = SpeechTask.model_validate(job.params)
        speech = self.speeches[task.model]
        asked = task.model_dump(include=set(SpeechRequest.model_fields))
        async with aclosing(speech.synthesize(SpeechRequest.model_validate(asked))) as stream:
            chunks = [chunk async for chunk in stream]
        pcm, rate_hz = b"".join(chunk.pcm for chunk in chunks), chunks[0].sample_rate
        content = await asyncio.to_thread(mp3, pcm, rate_hz)
        kept: Artifact = await asyncio.to_thread(
            self.files.put, task.key(job.id), content, job.made(speech.model, task.text)
        )
        return {"resources": [kept.key], "duration_s": len(pcm) / 2 / rate_hz}


def mp3(pcm: bytes, rate_hz: int) -> bytes:
    """A mono MP3 of 16-bit samples."""
    file = io.BytesIO()
    soundfile.write(file, np.frombuffer(pcm, "<i2"), rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    return file.getvalue()
