"""Diffusion through the real library, on folders as they are published; their weights are random."""

import io
import math
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from contracts.artifacts import Artifact, Provenance
from contracts.catalog import models
from contracts.errors import EngineFailed, InvalidInput
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from contracts.settings import Settings
from deployments.image.painter import Painter
from deployments.registry import build
from deployments.streams import threaded
from store.artifacts import Artifacts
from store.database import Database
from tests.checkpoints.diffusion import stable_diffusion, stable_diffusion_xl

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated"),  # a model of transformers, when imported
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # a scheduler of diffusers, beside NumPy 2
]
BUILDERS: dict[str, Callable[[Path], None]] = {
    "stable-diffusion-v1-5": stable_diffusion,
    "stable-diffusion-xl": stable_diffusion_xl,
}
FOX = ImageRequest(prompt="a fox by a lake", width=64, height=64, steps=4)
STRENGTHS = (0.1, 0.4, 0.7)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("weights")
    for name, write in BUILDERS.items():
        write(root / name)
    return {name: root / name for name in BUILDERS}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a network is slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=BUILDERS)
def engine(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Iterator[Any]:
    yield from loaded(folders[request.param])


@pytest.fixture
def stable(folders: dict[str, Path]) -> Iterator[Any]:
    """Stable Diffusion 1.5, for this test alone."""
    yield from loaded(folders["stable-diffusion-v1-5"])


def loaded(folder: Path) -> Iterator[Any]:
    engine = build("image", "diffusers", {"weights": str(folder)})
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A person and a cat."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return sorted(folder.iterdir())


def drawn(engine: Any, picture: Path | None = None, **change: Any) -> Picture:
    *_, made = engine.generate(FOX.model_copy(update=change), picture)
    assert isinstance(made, Picture)
    return made


def pixels(picture: Picture) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(picture.png)) as opened:
        assert opened.format == "PNG" and opened.mode == "RGB"
        return np.asarray(opened).astype(int)


def apart(one: Picture, other: Picture) -> float:
    """Mean difference of their pixels, 0–255."""
    return float(np.abs(pixels(one) - pixels(other)).mean())


def at_work() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batch")]


def counted(engine: Any) -> list[None]:
    """An item for each time that the model has begun to look at the picture."""
    looks: list[None] = []
    engine.text_to_image.unet.register_forward_pre_hook(lambda *_: looks.append(None))
    return looks


@pytest.mark.parametrize("change", [False, True])
def test_progress_is_told_after_each_step(engine: Any, photos: list[Path], change: bool) -> None:
    looks = counted(engine)
    *steps, picture = engine.generate(FOX.model_copy(update={"steps": 10}), photos[0] if change else None)
    fractions = [progress.fraction for progress in steps]
    assert fractions == [(step + 1) / len(looks) for step in range(len(looks))]
    assert len(looks) in ((8, 9) if change else (10, 11))  # PNDM takes one more
    assert isinstance(picture, Picture) and not at_work()


def test_the_same_request_gives_the_same_picture_whatever_was_drawn_before(engine: Any) -> None:
    first = drawn(engine)
    drawn(engine, seed=7, steps=7)
    assert drawn(engine).png == first.png


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"prompt": "一座城堡"},
        {"negative_prompt": "dark"},
        {"guidance": 1.0},
        {"guidance": 15.0},
        {"steps": 8},
    ],
    ids=str,
)
def test_what_is_asked_counts(engine: Any, change: dict[str, Any]) -> None:
    assert apart(drawn(engine), drawn(engine, **change)) > 0.5


def test_a_negative_prompt_needs_guidance(engine: Any) -> None:
    assert drawn(engine, guidance=1.0).png == drawn(engine, guidance=1.0, negative_prompt="dark").png


def test_guidance_leads_away_from_the_negative_prompt(engine: Any) -> None:
    """The prompt against itself leads nowhere: the picture is the one without guidance."""
    assert apart(drawn(engine, guidance=1.0), drawn(engine, negative_prompt=FOX.prompt)) < 0.1


@pytest.mark.parametrize(("width", "height"), [(64, 64), (72, 136), (200, 64)])
@pytest.mark.parametrize("change", [False, True])
def test_the_size_is_as_asked(engine: Any, photos: list[Path], change: bool, width: int, height: int) -> None:
    picture = drawn(engine, photos[0] if change else None, width=width, height=height, steps=2)
    assert pixels(picture).shape == (height, width, 3)
    assert (picture.width, picture.height) == (width, height)


@pytest.mark.parametrize(("size", "param"), [({"width": 100}, "width"), ({"height": 65}, "height")])
def test_sizes_between_latents_are_refused(engine: Any, size: dict[str, int], param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        drawn(engine, **size)
    assert refused.value.param == param


def test_strength_0_gives_the_picture_back(engine: Any, photos: list[Path]) -> None:
    astronaut, cat = (Image.open(photo).convert("RGB") for photo in photos)
    assert (pixels(drawn(engine, photos[0], width=512, height=512, strength=0.0)) == np.asarray(astronaut)).all()
    same = pixels(drawn(engine, photos[1], width=128, height=128, strength=0.0))
    aside = (cat.width - cat.height) / 2  # what is cut away on each side, so that it keeps its proportions
    middle = cat.resize((128, 128), Image.Resampling.LANCZOS, (aside, 0, cat.width - aside, cat.height))
    assert np.abs(same - np.asarray(middle)).max() <= 2


def test_strength_1_ignores_the_picture(engine: Any, photos: list[Path]) -> None:
    assert drawn(engine, photos[0], strength=1.0).png == drawn(engine).png


def test_the_stronger_the_less_is_left_of_the_picture(engine: Any, photos: list[Path]) -> None:
    """How far the results of two different pictures are from each other."""
    left = [
        apart(*(drawn(engine, photo, strength=strength, steps=10) for photo in photos))
        for strength in (0.0, *STRENGTHS, 1.0)
    ]
    assert all(math.isfinite(one) and one > 1.5 * other for one, other in pairwise(left[:-1])), left
    assert left[-2] > left[-1] == 0


def test_a_little_strength_takes_one_step_at_least(engine: Any, photos: list[Path]) -> None:
    for steps in (1, 49):
        *fractions, _ = engine.generate(FOX.model_copy(update={"steps": steps, "strength": 0.001}), photos[0])
        assert fractions and fractions[-1] == Progress(fraction=1)


def test_a_picture_that_cannot_be_read_is_refused(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n<html>")
    with pytest.raises(InvalidInput):
        drawn(engine, path)


def test_the_painter_changes_no_picture(photos: list[Path]) -> None:
    with pytest.raises(InvalidInput) as refused:
        drawn(Painter(), photos[0])
    assert refused.value.param == "picture"


def test_closing_stops_the_model_within_a_step(engine: Any) -> None:
    before, looks = drawn(engine), counted(engine)
    items = engine.generate(FOX.model_copy(update={"width": 256, "height": 256, "steps": 150}))
    assert next(items).fraction < 0.02
    begun = len(looks)
    items.close()
    assert len(looks) <= begun + 1 < 100
    assert not at_work()
    assert drawn(engine).png == before.png


async def test_a_caller_who_leaves_stops_the_model(engine: Any) -> None:
    looks = counted(engine)
    request = FOX.model_copy(update={"width": 256, "height": 256, "steps": 150})
    async with aclosing(threaded(engine.generate(request))) as items:
        async for _ in items:
            break
    assert not at_work() and len(looks) < 100


@pytest.mark.parametrize(("part", "layer"), [("unet", "conv_out"), ("vae", "decoder.conv_out")])
def test_no_number_is_no_picture(stable: Any, part: str, layer: str) -> None:
    stable.text_to_image.safety_checker = None  # a GPU model without one, in half precision
    bias = getattr(stable.text_to_image, part).get_submodule(layer).bias.data
    kept = bias.clone()
    bias.fill_(math.nan)
    with pytest.raises(EngineFailed):
        drawn(stable)
    bias.copy_(kept)
    assert drawn(stable).png and not at_work()


def test_too_little_memory_is_an_answer(stable: Any) -> None:
    """The process may not grow; when it may again, the engine draws as before."""
    before = drawn(stable)
    _, hard = limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (64 << 20), hard))
    try:
        with pytest.raises(EngineFailed):
            drawn(stable, width=1024, height=1024, steps=1)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert drawn(stable).png == before.png


@pytest.mark.filterwarnings("ignore:.*upcast_vae")  # of diffusers, by its own pipeline
def test_memory_that_runs_out_midway_leaves_nothing_behind(folders: dict[str, Path], photos: list[Path]) -> None:
    """XL's autoencoder works in more precision than the rest, for so long."""
    engine = build("image", "diffusers", {"weights": str(folders["stable-diffusion-xl"]), "dtype": "float16"})
    engine.load()
    before = drawn(engine), drawn(engine, photos[0])
    for layer, picture in (("encoder.conv_in", photos[0]), ("decoder.conv_in", None)):
        full = engine.text_to_image.vae.get_submodule(layer).register_forward_hook(_no_memory)
        with pytest.raises(EngineFailed):
            drawn(engine, picture)
        full.remove()
        assert [drawn(engine).png, drawn(engine, photos[0]).png] == [each.png for each in before]
    engine.close()


def _no_memory(*_: Any) -> None:
    raise MemoryError


def test_what_the_safety_checker_finds_is_not_given(stable: Any) -> None:
    """One that finds everything unsafe: its thresholds are as low as they get."""
    stable.text_to_image.safety_checker.concept_embeds_weights.data.fill_(-1.0)
    with pytest.raises(EngineFailed) as refused:
        drawn(stable)
    assert "安全" in refused.value.message


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Artifacts]:
    settings = Settings(var=tmp_path)
    database = Database(settings.tables_url)
    database.migrate()
    yield (files := Artifacts(settings))
    database.engine.dispose()
    files._database.engine.dispose()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_a_replica_fetches_the_picture_and_keeps_what_it_makes(
    folders: dict[str, Path], files: Artifacts, photos: list[Path], stable: Any
) -> None:
    from deployments.image.deployment import ImageDeployment

    name, key = "stable-diffusion-v1-5", "outputs/images/changed.png"
    files.upload("uploads/cat.png", photos[1].read_bytes(), "anon-ann")
    spec = models()[name].model_copy(update={"options": {"weights": str(folders[name])}})
    replica = ImageDeployment.func_or_class.__new__(ImageDeployment.func_or_class)
    await replica.__init__([spec], files, 1)
    request = FOX.model_copy(update={"picture": "uploads/cat.png", "strength": 0.5})
    *steps, kept = [item async for item in replica.generate(name, request, key, Provenance(owner="anon-ann"))]
    assert steps[-1] == Progress(fraction=1)
    assert isinstance(kept, Artifact) and kept.key == key
    with Image.open(io.BytesIO(files.read(key))) as changed:
        assert (np.asarray(changed.convert("RGB")) == pixels(drawn(stable, photos[1], strength=0.5))).all()
