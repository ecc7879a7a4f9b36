"""Names in the catalogue to engine classes, imported only where they run."""

from importlib import import_module
from typing import Any

from contracts.catalog import ModelSpec
from contracts.errors import InvalidInput

ENGINES = {
    ("chat", "scripted"): "deployments.chat.scripted:Scripted",
    ("image", "painter"): "deployments.image.painter:Painter",
    ("speech", "espeak"): "deployments.speech.espeak:Espeak",
    ("speech", "matching"): "deployments.speech.matching:Matching",
    ("video", "film"): "deployments.video.film:Film",
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
