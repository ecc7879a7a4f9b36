"""The models and voices that exist, as data: catalog/models.yaml, catalog/voices.yaml."""

from pathlib import Path
from typing import Any, Literal

import yaml

from contracts.model import Contract

CATALOG = Path(__file__).parent.parent / "catalog"

Capability = Literal[
    "chat", "image", "speech", "video", "transcription", "classification", "detection", "face", "avatar"
]
NEEDED: tuple[Capability, ...] = ("chat", "image", "speech", "video")  # of each, a cluster serves one at least


class ModelSpec(Contract):
    """A model: which engine runs it, with which options, and under which licence."""

    id: str
    capability: Capability
    engine: str
    name: str = ""
    description: str = ""
    licence: str = ""
    commercial: bool = True  # the licence of its weights lets it earn money
    options: dict[str, Any] = {}
    clones: bool = False  # speaks in the voice of a recording
    needs_transcript: bool = False  # and must know for that what the recording says
    edits: bool = False  # draws from a picture too
    footage: list[Literal["text", "picture"]] = []  # films by itself from these; empty: it shows pictures, and speech
    languages: list[str] = []  # ISO 639-1, that it hears or speaks; empty: not told
    label_set: str = ""  # what a recogniser can name, in words
    likeness: float = 0.55  # cosine of two faces' vectors from which they are one person's
    trainable: bool = False  # can be given what it does not know, by `training`
    needs: str = ""  # what must be there before it can run, in words; empty: nothing


def models() -> dict[str, ModelSpec]:
    """Every model that the catalogue knows, by id."""
    entries = yaml.safe_load((CATALOG / "models.yaml").read_text(encoding="utf-8"))
    specs = [ModelSpec.model_validate(entry) for entry in entries]
    return {spec.id: spec for spec in specs}


class VoiceSpec(Contract):
    """A voice by name: what engines call it, by engine and language (ISO 639-1)."""

    id: str
    name: str
    engines: dict[str, dict[str, str]]


def voices() -> dict[str, VoiceSpec]:
    """Every voice of the catalogue, by id."""
    entries = yaml.safe_load((CATALOG / "voices.yaml").read_text(encoding="utf-8"))
    specs = [VoiceSpec.model_validate(entry) for entry in entries]
    return {spec.id: spec for spec in specs}
