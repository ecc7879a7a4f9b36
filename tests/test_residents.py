"""Several models in the memory of one replica."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import torch
from PIL import ImageChops

from contracts.catalog import ModelSpec, models
from contracts.errors import InvalidInput
from deployments.image.models import ImageModels
from deployments.residents import Residents
from graphs.arguments import Args, Shared, check_shared
from tests.checkpoints import diffusion
from tests.conftest import Cluster
from tests.test_media_generation import made, opened

SIZES = {"small": 10, "middle": 60, "large": 90, "huge": 500}


@dataclass(frozen=True)
class Thing:
    key: str
    size_bytes: int


class Things(Residents[Thing]):
    """Of known sizes; it writes down what happens."""

    def __init__(self, fails: list[Exception] | None = None) -> None:
        super().__init__(most_bytes=100)
        self.fails = fails or []
        self.happened: list[str] = []

    def _open(self, key: str) -> Thing:
        self.happened.append(f"open {key}")
        if self.fails:
            raise self.fails.pop()
        return Thing(key, SIZES[key])

    def _close(self, item: Thing) -> None:
        self.happened.append(f"close {item.key}")


async def use(things: Things, *keys: str) -> None:
    for key in keys:
        async with things.lent(key) as thing:
            assert thing.key == key


async def test_many_who_ask_at_once_open_it_once() -> None:
    things = Things()
    await asyncio.gather(*(use(things, "small") for _ in range(9)))
    assert things.happened == ["open small"]


async def test_the_one_that_was_asked_for_longest_ago_goes() -> None:
    things = Things()
    await use(things, "small", "middle", "small", "large")
    assert list(things.sizes()) == ["small", "large"]
    assert things.happened[-1] == "close middle"


async def test_one_that_has_been_here_finds_room_made() -> None:
    things = Things()
    await use(things, "large", "middle", "large")
    assert things.happened == ["open large", "open middle", "close large", "close middle", "open large"]


async def test_none_is_let_go_that_is_used() -> None:
    things = Things()
    async with things.lent("middle") as middle:
        await use(things, "large", "huge")
        assert list(things.sizes()) == ["middle", "huge"] and things.sizes()["middle"] == middle.size_bytes
        things.let_go("middle")
        assert "close middle" not in things.happened
    assert list(things.sizes()) == ["huge"]  # alone, though there is no room for it


async def test_where_memory_is_out_the_idle_ones_go_and_it_is_tried_again() -> None:
    things = Things()
    await use(things, "small")
    things.fails = [torch.OutOfMemoryError("CUDA out of memory")]
    await use(things, "middle")
    assert things.happened == ["open small", "open middle", "close small", "open middle"]


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("out"), MemoryError(), RuntimeError("broken"), OSError("gone")]
)
async def test_what_could_not_be_opened_is_tried_by_the_next(error: Exception) -> None:
    things = Things([error, error])
    with pytest.raises(type(error)):
        await use(things, "small")
    things.fails = []
    await use(things, "small")
    assert list(things.sizes()) == ["small"]


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> list[ModelSpec]:
    folder, known = tmp_path_factory.mktemp("models"), models()
    builders = {
        "stable-diffusion-v1-5": diffusion.stable_diffusion,
        "stable-diffusion-xl": diffusion.stable_diffusion_xl,
    }
    for name, build in builders.items():
        build(folder / name)
    return [known[name].model_copy(update={"options": {"weights": str(folder / name)}}) for name in builders]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's, from within diffusers
async def test_weights_are_measured_and_let_go(specs: list[ModelSpec]) -> None:
    shared = ImageModels(specs, most_bytes=1)
    sizes = {}
    for spec in specs:
        async with shared.lent(spec.id) as loaded:
            sizes |= shared.sizes()
            weights = [*Path(spec.options["weights"]).rglob("*.safetensors")]
            assert loaded.size_bytes == pytest.approx(sum(file.stat().st_size for file in weights), rel=0.2)
            assert loaded.revision.startswith("sha256:")
    assert list(shared.sizes()) == [specs[1].id] and len(set(sizes.values())) == 2
    shared.close()
    assert not shared.sizes()


def test_models_that_share_a_replica_draw_each_their_own(studio: Cluster) -> None:
    asked = {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": 2, "seed": 7}
    with httpx.Client(base_url=studio.url, timeout=60) as client:
        first, other, again = (
            opened(client, made(client, "text-to-image", json=asked | {"model_id": model})["image_url"])
            for model in ("stable-diffusion-v1-5", "stable-diffusion-xl", "stable-diffusion-v1-5")
        )
    assert first.tobytes() == again.tobytes()
    assert ImageChops.difference(first, other).getbbox()


@pytest.mark.parametrize(
    ("shared", "told"),
    [
        ({"pictures": ["painter", "espeak"]}, "espeak"),
        ({"pictures": ["painter", "stable-diffusion-xl"]}, "stable-diffusion-xl"),
        ({"pictures": ["painter", "painter"]}, "painter"),
        ({"a": ["painter"], "b": ["painter"]}, "painter"),
        ({"painter": ["painter"]}, "painter"),
    ],
    ids=["no image model", "not served", "twice", "in two", "name of a model"],
)
def test_a_configuration_that_cannot_be_is_refused(shared: dict[str, list[str]], told: str) -> None:
    served = [models()[name] for name in ("scripted", "painter", "espeak", "film")]
    with pytest.raises(InvalidInput, match=told):
        check_shared(served, {name: Shared(models=together) for name, together in shared.items()})


def test_shared_memory_is_a_number_of_mebibytes() -> None:
    with pytest.raises(ValueError, match="memory_mib"):
        Args.model_validate({"models": ["painter"], "shared": {"pictures": {"models": ["painter"], "memory_mib": 0}}})
