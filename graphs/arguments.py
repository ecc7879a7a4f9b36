"""What serve_config.yaml asks of the application, and whether it can be had."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.catalog import NEEDED, ModelSpec
from contracts.errors import InvalidInput


class Shared(BaseModel):
    """Image models that take turns in the memory of the same replicas."""

    model_config = ConfigDict(extra="forbid")

    models: list[str] = Field(min_length=1, description="The first is loaded at once, the others when asked for.")
    memory_mib: int = Field(16_384, ge=1, description="What they may take together, or one that is larger alone.")


class Args(BaseModel):
    """`args` of an application in serve_config.yaml."""

    model_config = ConfigDict(extra="forbid")

    models: list[str] = Field(description="Ids of the catalogue; the first of each capability is its default.")
    preferred: list[str] = Field(
        [], description="Of `models`: its capability's default if its weights are here at deploy."
    )
    fallback: bool = Field(
        False,
        description="The default answers for a known model that is not served, `scripted` for a default that failed.",
    )
    options: dict[str, dict[str, Any]] = Field({}, description="By model: options in place of the catalogue's.")
    shared: dict[str, Shared] = Field({}, description="By name: a deployment for several image models.")


def with_defaults(
    served: list[ModelSpec], preferred: list[str], is_here: Callable[[ModelSpec], bool]
) -> list[ModelSpec]:
    """The models with those first that are preferred and here."""
    if unknown := sorted(set(preferred) - {spec.id for spec in served}):
        raise InvalidInput(f"`preferred` names what `models` does not: {unknown[0]}.", param="preferred")
    return sorted(served, key=lambda spec: not (spec.id in preferred and is_here(spec)))


def check_needed(served: list[ModelSpec]) -> None:
    for capability in NEEDED:
        if all(spec.capability != capability or spec.footage for spec in served):
            kind = "video model that films pictures" if capability == "video" else f"{capability} model"
            raise InvalidInput(f"`models` names no {kind}.", param="models")


def check_licences(served: list[ModelSpec], commercial: bool) -> None:
    """`commercial`: what is made here may earn money (TROUPE_COMMERCIAL)."""
    for spec in served:
        if commercial and not spec.commercial:
            raise InvalidInput(
                f"TROUPE_COMMERCIAL is set, and the licence of {spec.id}, {spec.licence}, forbids commercial use: "
                "take it out of `models`.",
                param="models",
            )


def check_shared(served: list[ModelSpec], shared: Mapping[str, Shared]) -> None:
    pictures = {spec.id for spec in served if spec.capability == "image"}
    named = [model for one in shared.values() for model in one.models]
    for model in named:
        if model not in pictures or named.count(model) > 1:
            raise InvalidInput(f"`shared` must name image models of `models`, each once: {model}.", param="shared")
    if taken := set(shared) & {spec.id for spec in served}:
        raise InvalidInput(f"`shared` calls deployments as models are called: {sorted(taken)}.", param="shared")
