"""Speech models as Serve replicas: the recording of a voice comes from the store, and what it says from who hears it.

Both what is heard and what the engine measures are kept beside the recording: all replicas share them, and they go
when it goes.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from contracts.artifacts import Files
from contracts.catalog import ModelSpec
from contracts.errors import EngineFailed, NotFound, Unavailable
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript, TranscriptionRequest
from deployments.registry import load
from deployments.remote import RemoteTranscription
from deployments.speech.recording import Recording
from deployments.streams import threaded

TRANSCRIPT = "transcript.json"


@serve.deployment(max_ongoing_requests=8, health_check_period_s=1)
class SpeechDeployment:
    def __init__(self, spec: ModelSpec, files: Files, listener: DeploymentHandle[Any] | None = None) -> None:
        """`listener`: a transcription model, for a model that must know what a recording says."""
        self.spec, self.files = spec, files
        self.hears = RemoteTranscription(listener, "") if listener else None
        self.engine = load(spec)

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioChunk]:
        with tempfile.TemporaryDirectory() as folder:
            sample = await asyncio.to_thread(self._fetch, request.sample, Path(folder)) if request.sample else None
            if sample and self.spec.needs_transcript and request.transcript is None:
                request = request.model_copy(update={"transcript": await self._heard(request.sample, sample)})
            new = sample and not _beside(sample).exists()
            async with aclosing(threaded(self.engine.synthesize(request, sample))) as chunks:
                async for chunk in chunks:
                    yield chunk
                    if sample and new:
                        await asyncio.to_thread(self._keep, request.sample, sample)
                        new = False

    def _fetch(self, key: str, folder: Path) -> Path:
        """A local copy, with what was measured of it before."""
        path = folder / f"sample{Path(key).suffix}"
        self.files.fetch(key, path)
        if kept := self.files.measured(key, self._measure()):
            _beside(path).write_bytes(kept)
        return path

    def _keep(self, key: str, path: Path) -> None:
        """What the engine has measured just now, if it did not remember it; nothing of a recording that is gone."""
        if _beside(path).exists():
            with suppress(NotFound):
                self.files.keep_measured(key, self._measure(), _beside(path).read_bytes())

    def _measure(self) -> str:
        return f"{self.spec.engine}.npz"

    async def _heard(self, key: str, sample: Path) -> Transcript:
        """What a recording says that is good enough to speak on from."""
        kept = await asyncio.to_thread(self.files.measured, key, TRANSCRIPT)
        if kept is not None:
            return Transcript.model_validate_json(kept)
        if self.hears is None:
            raise Unavailable(f"模型 {self.spec.id} 要先听懂音色样本：请在集群配置的 models 中启用一个语音识别模型。")
        await asyncio.to_thread(Recording.at(sample).heard)
        heard = await _last(self.hears, TranscriptionRequest(recording=key, words=True))
        with suppress(NotFound):
            await asyncio.to_thread(self.files.keep_measured, key, TRANSCRIPT, heard.model_dump_json().encode())
        return heard

    def __del__(self) -> None:
        self.engine.close()


def _beside(path: Path) -> Path:
    """Where `deployments.speech.measured` looks."""
    return path.with_name(f"{path.name}.npz")


async def _last(hears: RemoteTranscription, request: TranscriptionRequest) -> Transcript:
    async with aclosing(hears.transcribe(request)) as items:
        async for item in items:
            if isinstance(item, Transcript):
                return item
    raise EngineFailed("语音识别模型没有给出结果。")
