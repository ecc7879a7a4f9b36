"""Calls to a deployment that look like calls to its engine and fail like them."""

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from contracts.artifacts import Artifact, Provenance
from contracts.avatar import Frames, FramesRequest, PerformanceRequest
from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import Overloaded, ServiceError, Unavailable
from contracts.faults import of_disk
from contracts.image import ImageRequest
from contracts.model import Progress
from contracts.sight import Classified, Detected, SeenFace
from contracts.speech import AudioChunk, SpeechRequest
from contracts.transcription import Transcript, TranscriptionRequest
from contracts.video import ClipRequest, FilmRequest
from deployments.metrics import counted
from deployments.streams import begun

log = logging.getLogger("troupe.deployments")


@contextmanager
def our_errors() -> Iterator[None]:
    """Ray wraps what a replica raises in its traceback; callers must see only our own error."""
    try:
        yield
    except BackPressureError as error:
        raise Overloaded("模型繁忙，请稍后再试。", retry_after_s=1) from error
    except RayTaskError as error:
        if isinstance(error.cause, ServiceError):
            raise error.cause from None
        if refusal := of_disk(error.cause):
            log.warning("a replica's disk has failed", exc_info=True)
            raise refusal from None
        raise
    except (RayError, DeploymentUnavailableError) as error:  # the replica died, or there is none
        raise Unavailable("模型正在重新启动，请稍后再试。", retry_after_s=2) from error


async def _stream(handle: DeploymentHandle[Any], verb: str, *args: Any) -> AsyncGenerator[Any]:
    """The items of a streamed call; leaving early cancels it on the replica."""
    response = getattr(handle.options(stream=True), verb).remote(*args)
    try:
        with counted(handle.deployment_name, verb, *args) as call, our_errors():
            async for item in response:
                call.gave(item)
                yield item
    finally:
        response.cancel()


async def _answer(handle: DeploymentHandle[Any], verb: str, *args: Any) -> Any:
    """What a call answers; leaving early cancels it on the replica."""
    response = getattr(handle, verb).remote(*args)
    try:
        with counted(handle.deployment_name, verb, *args) as call, our_errors():
            call.gave(item := await response)
            return item
    finally:
        response.cancel()


class RemoteChat:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model
        self.spare: RemoteChat | None = None  # `graphs.spare`

    def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        return _stream(self.handle, "generate", request)


class AttendedChat(RemoteChat):
    """For somebody who waits at a connection: `Unavailable` when the first word is not there in time."""

    def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        return begun(super().generate(request))


class RemoteImage:
    """Of replicas that several models share, the one that has this model in memory is asked first."""

    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        is_shared = handle.deployment_name != model
        self.handle = handle.options(multiplexed_model_id=model) if is_shared else handle
        self.model = model

    def generate(self, request: ImageRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        return _stream(self.handle, "generate", self.model, request, key, made)


class RemoteSpeech:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
        return _stream(self.handle, "synthesize", request)


class AttendedSpeech(RemoteSpeech):
    """For somebody who listens: `Unavailable` when it does not begin to speak in time."""

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[AudioChunk]:
        return begun(super().synthesize(request))


class RemoteVideo:
    def __init__(self, handle: DeploymentHandle[Any], model: str, footage: Sequence[str] = ()) -> None:
        self.handle, self.model, self.footage = handle, model, footage

    def generate(self, request: ClipRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        return _stream(self.handle, "generate", request, key, made)

    def render(self, request: FilmRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        return _stream(self.handle, "render", request, key, made)


class RemoteTranscription:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Progress | Transcript]:
        return _stream(self.handle, "transcribe", request)


class AttendedTranscription(RemoteTranscription):
    """For somebody who waits: `Unavailable` when it does not begin to listen in time."""

    def transcribe(self, request: TranscriptionRequest) -> AsyncGenerator[Progress | Transcript]:
        return begun(super().transcribe(request))


class RemoteClassification:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    async def classify(self, picture: bytes, taught: str = "") -> list[Classified]:
        handle = self.handle.options(multiplexed_model_id=taught) if taught else self.handle
        return await _answer(handle, "classify", picture)


class RemoteDetection:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    async def detect(self, picture: bytes) -> list[Detected]:
        return await _answer(self.handle, "detect", picture)


class RemoteFace:
    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    async def find(self, picture: bytes, embed: bool = False) -> list[SeenFace]:
        return await _answer(self.handle, "find", picture, embed)


class RemoteAvatar:
    """Whoever has drawn an avatar before is asked first: it has it in memory."""

    def __init__(self, handle: DeploymentHandle[Any], model: str) -> None:
        self.handle, self.model = handle, model

    async def render(self, request: FramesRequest) -> Frames:
        frames: Frames = await _answer(self._near(request.avatar), "render", request)
        return frames

    def perform(self, request: PerformanceRequest, key: str, made: Provenance) -> AsyncGenerator[Progress | Artifact]:
        return _stream(self._near(request.avatar), "perform", request, key, made)

    def _near(self, avatar: str) -> DeploymentHandle[Any]:
        return self.handle.options(multiplexed_model_id=avatar)
