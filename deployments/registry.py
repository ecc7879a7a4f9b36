"""Names in the catalogue to engine classes, imported only where they run."""

from importlib import import_module
from typing import Any

from contracts.catalog import ModelSpec
from contracts.errors import InvalidInput

ENGINES = {
    ("avatar", "nerf"): "deployments.avatar.nerf:Nerf",
    ("chat", "openai"): "deployments.chat.openai_engine:OpenAI",
    ("chat", "scripted"): "deployments.chat.scripted:Scripted",
    ("chat", "transformers"): "deployments.chat.transformers_engine:Transformers",
    ("chat", "vllm"): "deployments.chat.vllm_engine:Vllm",
    ("classification", "transformers"): "deployments.classification.transformers_engine:Transformers",
    ("detection", "transformers"): "deployments.detection.transformers_engine:Transformers",
    ("face", "mtcnn"): "deployments.face.mtcnn:Mtcnn",
    ("face", "sface"): "deployments.face.sface:Sface",
    ("image", "diffusers"): "deployments.image.diffusion:Diffusion",
    ("image", "painter"): "deployments.image.painter:Painter",
    ("speech", "cosyvoice"): "deployments.speech.cosyvoice:CosyVoice",
    ("speech", "espeak"): "deployments.speech.espeak:Espeak",
    ("speech", "f5tts"): "deployments.speech.f5tts:F5tts",
    ("speech", "matching"): "deployments.speech.matching:Matching",
    ("transcription", "faster_whisper"): "deployments.transcription.whisper:Whisper",
    ("video", "diffusers"): "deployments.video.diffusion:VideoDiffusion",
    ("video", "film"): "deployments.video.film:Film",
    ("video", "runway"): "deployments.video.runway:Runway",
}


def build(capability: str, name: str, options: dict[str, Any]) -> Any:
    """An engine, not yet loaded. Unknown names and options are invalid input."""
    try:
        module, _, attribute = ENGINES[capability, name].partition(":")
    except KeyError:
        known = sorted(engine for kind, engine in ENGINES if kind == capability)
        raise InvalidInput(f"No {capability} engine {name!r}; there are {known}.", param="engine") from None
    return getattr(import_module(module), attribute)(**options)


def load(spec: ModelSpec) -> Any:
    """The engine of a model, ready to work."""
    engine = build(spec.capability, spec.engine, spec.options)
    engine.load()
    return engine
