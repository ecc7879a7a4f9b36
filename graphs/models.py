"""Models of the catalogue as deployments, and deployments as models."""

from collections.abc import Mapping
from typing import Any

from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from contracts.catalog import Capability, ModelSpec
from deployments import remote
from deployments.avatar.deployment import AvatarDeployment
from deployments.chat.deployment import ChatDeployment
from deployments.classification.deployment import ClassificationDeployment
from deployments.detection.deployment import DetectionDeployment
from deployments.face.deployment import FaceDeployment
from deployments.image.deployment import ImageDeployment
from deployments.speech.deployment import SpeechDeployment
from deployments.transcription.deployment import TranscriptionDeployment
from deployments.video.deployment import VideoDeployment
from graphs.arguments import Shared
from store.artifacts import Artifacts

REMOTE: dict[Capability, Any] = {
    "chat": remote.RemoteChat,
    "image": remote.RemoteImage,
    "speech": remote.RemoteSpeech,
    "video": remote.RemoteVideo,
    "transcription": remote.RemoteTranscription,
    "classification": remote.RemoteClassification,
    "detection": remote.RemoteDetection,
    "face": remote.RemoteFace,
    "avatar": remote.RemoteAvatar,
}
ATTENDED = REMOTE | {  # for routes; a job can wait for a model that restarts
    "chat": remote.AttendedChat,
    "speech": remote.AttendedSpeech,
    "transcription": remote.AttendedTranscription,
}


def remotes(
    capability: Capability,
    served: list[ModelSpec],
    handles: dict[str, DeploymentHandle[Any]],
    kinds: Mapping[Capability, Any] = REMOTE,
) -> dict[str, Any]:
    """The models of a capability by id, the default first."""
    kind = kinds[capability]
    found = [spec for spec in served if spec.capability == capability]
    if capability == "video":
        return {spec.id: kind(handles[spec.id], spec.id, spec.footage) for spec in found}
    return {spec.id: kind(handles[spec.id], spec.id) for spec in found}


def deploy_all(served: list[ModelSpec], files: Artifacts, shared: Mapping[str, Shared]) -> dict[str, Application]:
    """By id. A model that must know what recordings say asks the default of transcription."""
    specs = {spec.id: spec for spec in served}
    hearing = [spec for spec in served if spec.capability == "transcription"]
    bound = {spec.id: deploy(spec, files) for spec in hearing}
    listener = bound[hearing[0].id] if hearing else None
    for name, one in shared.items():
        together = named(ImageDeployment, name, [specs[model] for model in one.models], files, one.memory_mib)
        bound |= dict.fromkeys(one.models, together)
    rest = [spec for spec in served if spec.id not in bound]
    return bound | {spec.id: deploy(spec, files, listener) for spec in rest}


def deploy(spec: ModelSpec, files: Artifacts, listener: Application | None = None) -> Application:
    """A model's deployment, named by its id. Those that give files keep them themselves."""
    match spec.capability:
        case "chat":
            return named(ChatDeployment, spec.id, spec, files)
        case "image":
            return named(ImageDeployment, spec.id, [spec], files, 0)
        case "speech":
            return named(SpeechDeployment, spec.id, spec, files, listener if spec.needs_transcript else None)
        case "video":
            return named(VideoDeployment, spec.id, spec, files)
        case "transcription":
            return named(TranscriptionDeployment, spec.id, spec, files)
        case "classification":
            return named(ClassificationDeployment, spec.id, spec, files)
        case "detection":
            return named(DetectionDeployment, spec.id, spec)
        case "face":
            return named(FaceDeployment, spec.id, spec)
        case "avatar":
            return named(AvatarDeployment, spec.id, spec, files)


def named(deployment: Any, name: str, *arguments: Any) -> Application:
    return deployment.options(name=name).bind(*arguments)
