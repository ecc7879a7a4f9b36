"""What a training is asked, and how it ended."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field, FiniteFloat

from contracts.model import Contract
from contracts.platform import Figures, FinetuneTask, TrainingTask

Report = Callable[[Figures], None]
ShouldStop = Callable[[], bool]


class Config(Contract):
    """What an adapter learns, of what, and how. The same one gives the same losses on one kind of machine."""

    base: str = Field(description="Folder, or an id on a hub.")
    revision: str = ""
    template: str = Field("", description="A file of catalog/templates in place of the model's own.")
    epochs: int = Field(3, ge=1)
    batch_size: int = Field(4, ge=1)
    learning_rate: FiniteFloat = Field(2e-4, gt=0)
    save_steps: int = Field(500, ge=1)
    lora_r: int = Field(8, ge=1)
    lora_alpha: int = Field(16, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    max_length: int = Field(512, ge=1)
    gradient_accumulation_steps: int = Field(4, ge=1)
    quantized: bool = False
    seed: int = Field(0, ge=0, lt=2**32)
    dataset_sha256: str = Field("", description="What the samples must be; empty: whatever they are.")

    @classmethod
    def of(cls, task: FinetuneTask, options: dict[str, Any]) -> "Config":
        """Of a task, for the model that has these options in the catalogue."""
        model = {"base": options["weights"], **{name: options.get(name, "") for name in ("revision", "template")}}
        return cls(**model, **task.model_dump(include=set(cls.model_fields)))


class ClassifierConfig(Contract):
    """What a classifier learns, of what, and how."""

    kind: Literal["classifier"] = "classifier"
    base: str = Field(description="Folder, or an id on a hub.")
    revision: str = ""
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(8, ge=1)
    learning_rate: FiniteFloat = Field(1e-4, gt=0)
    save_steps: int = Field(500, ge=1)
    seed: int = Field(0, ge=0, lt=2**32)
    dataset_sha256: str = Field("", description="What the pictures must be; empty: whatever they are.")

    @classmethod
    def of(cls, task: TrainingTask, options: dict[str, Any]) -> "ClassifierConfig":
        """Of a task, for the model that has these options in the catalogue."""
        model = {"base": options["weights"], "revision": options.get("revision", "")}
        return cls(**model, **task.model_dump(include=set(cls.model_fields)))


class Outcome(Contract):
    """How a training ended. A stopped one that has made a step has a model too, which nobody has judged."""

    state: str  # "completed", "stopped"
    figures: Figures
    manifest: dict[str, Any]
