"""Image models in memory: one, or several that share a replica."""

from dataclasses import dataclass

from contracts.catalog import ModelSpec
from deployments.image.engine import ImageEngine
from deployments.registry import load
from deployments.residents import Residents
from deployments.revisions import revision_of_model


@dataclass(frozen=True)
class Loaded:
    engine: ImageEngine
    size_bytes: int
    revision: str  # of the weights


class ImageModels(Residents[Loaded]):
    """A key is a model's id."""

    def __init__(self, specs: list[ModelSpec], most_bytes: int) -> None:
        super().__init__(most_bytes)
        self.specs = {spec.id: spec for spec in specs}

    def close(self) -> None:
        for key in self.sizes():
            self.let_go(key)

    def _open(self, key: str) -> Loaded:
        engine = load(self.specs[key])
        return Loaded(engine, engine.size_bytes, revision_of_model(self.specs[key]))

    def _close(self, item: Loaded) -> None:
        item.engine.close()
