"""Models of the catalogue as deployments, and deployments as models."""

from collections.abc import Mapping
from typing import Any

from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from contracts.catalog import NEEDED, Capability, ModelSpec
from contracts.errors import InvalidInput
from deployments import remote
from deployments.chat.deployment import ChatDeployment
from deployments.classification.deployment import ClassificationDeployment
from deployments.detection.deployment import DetectionDeployment
from deployments.face.deployment import FaceDeployment
from deployments.image.deployment import ImageDeployment
from deployments.speech.deployment import SpeechDeployment
from deployments.transcription.deployment import TranscriptionDeployment
from deployments.video.deployment import VideoDeployment
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
}
ATTENDED = REMOTE | {"chat": remote.AttendedChat}  # for routes; a job can wait for a model that restarts


def remotes(
    capability: Capability,
    served: list[ModelSpec],
    handles: dict[str, DeploymentHandle[Any]],
    kinds: Mapping[Capability, Any] = REMOTE,
) -> dict[str, Any]:
    """The models of a capability by id, the default first."""
    return {spec.id: kinds[capability](handles[spec.id], spec.id) for spec in served if spec.capability == capability}


def check_needed(served: list[ModelSpec]) -> None:
    for capability in NEEDED:
        if all(spec.capability != capability for spec in served):
            raise InvalidInput(f"`models` names no {capability} model.", param="models")


def deploy(spec: ModelSpec, files: Artifacts) -> Application:
    """A model's deployment, named by its id. Those that give files keep them themselves."""
    match spec.capability:
        case "chat":
            return named(ChatDeployment, spec.id, spec, files)
        case "image":
            return named(ImageDeployment, spec.id, spec, files)
        case "speech":
            return named(SpeechDeployment, spec.id, spec, files)
        case "video":
            return named(VideoDeployment, spec.id, spec, files)
        case "transcription":
            return named(TranscriptionDeployment, spec.id, spec, files)
        case "classification":
            return named(ClassificationDeployment, spec.id, spec)
        case "detection":
            return named(DetectionDeployment, spec.id, spec)
        case "face":
            return named(FaceDeployment, spec.id, spec)


def named(deployment: Any, name: str, *arguments: Any) -> Application:
    return deployment.options(name=name).bind(*arguments)
