"""Pictures that are drawn together: each as if it were drawn alone, whatever becomes of the others."""
# ruff: noqa: F811  # fixtures of another module are arguments here

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from contracts.errors import EngineFailed, InvalidInput
from contracts.image import ImageRequest, Picture, Scheduler
from deployments.registry import build
from tests.test_diffusers import (  # noqa: F401
    FOX,
    apart,
    drawn,
    engine,
    folders,
    loaded,
    one_thread,
    photos,
    pixels,
    pytestmark,
    stable,
)
from tests.waiting import eventually

LONG = {"width": 128, "height": 128, "steps": 200}
FOUR = [
    FOX.model_copy(update={"seed": seed, "prompt": prompt, "negative_prompt": unwanted})
    for seed, prompt, unwanted in (
        (1, "a fox", "dark"),
        (2, "一座城堡", "blurred"),
        (3, "a lake", "x"),
        (1, "a fox", "y"),
    )
]


@contextmanager
def busy(engine: Any) -> Iterator[None]:
    """It draws something else; who comes now has to wait."""
    items = engine.generate(FOX.model_copy(update=LONG))
    next(items)
    yield
    items.close()


def last(items: Iterator[Any]) -> Any:
    *_, made = items
    return made


def together(engine: Any, calls: list[Callable[[], Any]], pool: ThreadPoolExecutor) -> list[Future[Any]]:
    """Of requests that are all there when the next batch begins."""
    with busy(engine):
        begun = [pool.submit(call) for call in calls]
        eventually(lambda: len(engine.batches._waiting) == len(calls))
    return begun


def drawn_together(engine: Any, requests: list[ImageRequest], picture: Path | None = None) -> list[Any]:
    with ThreadPoolExecutor(len(requests)) as pool:
        calls = [lambda asked=asked: last(engine.generate(asked, picture)) for asked in requests]
        begun = together(engine, calls, pool)
        return [each.exception() or each.result() for each in begun]


@contextmanager
def rows(engine: Any) -> Iterator[list[int]]:
    """How many pictures the model looks at, each time; guidance looks at each twice."""
    seen: list[int] = []
    hook = engine.text_to_image.unet.register_forward_pre_hook(lambda _, given: seen.append(len(given[0]) // 2))
    yield seen
    hook.remove()


@pytest.mark.parametrize("change", [False, True])
def test_a_batch_is_what_each_would_be_alone(engine: Any, photos: list[Path], change: bool) -> None:
    picture = photos[0] if change else None
    alone = [last(engine.generate(request, picture)) for request in FOUR]
    with rows(engine) as seen:
        batch = drawn_together(engine, FOUR, picture)
    assert seen[-1] == 4
    for one, other in zip(batch, alone, strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1
    assert apart(batch[0], batch[1]) > 0.5


def test_only_what_is_alike_is_drawn_together(stable: Any) -> None:
    """And no more than the limit."""
    stable.batches.most = 2
    kinds = [{}, {"guidance": 3.0}, {}, {"guidance": 3.0, "seed": 5}, {"seed": 9}, {"negative_prompt": "x"}]
    with rows(stable) as seen:
        batch = drawn_together(stable, [FOX.model_copy(update=kind) for kind in kinds])
    assert [seen[-20:].count(2), seen[-20:].count(1), max(seen)] == [10, 10, 2]  # PNDM looks once more than it steps
    assert all(isinstance(each, Picture) for each in batch)


def test_who_leaves_a_batch_harms_nobody(stable: Any) -> None:
    requests = [FOX.model_copy(update={"seed": seed, "steps": 100}) for seed in (1, 2)]
    alone = last(stable.generate(requests[0]))
    leaver = stable.generate(requests[1])
    with ThreadPoolExecutor(2) as pool, rows(stable) as seen:
        stays, leaves = together(stable, [lambda: last(stable.generate(requests[0])), lambda: next(leaver)], pool)
        assert leaves.result().fraction > 0
        begun = len(seen)
        leaver.close()
        assert len(seen) <= begun + 2 and not stays.done()
        assert np.abs(pixels(stays.result()) - pixels(alone)).max() <= 1


def test_who_waits_can_leave(stable: Any) -> None:
    waiting = stable.generate(FOX)
    with busy(stable):
        assert next(waiting).fraction == 0
        waiting.close()
        assert not stable.batches._waiting
    assert drawn(stable).png


def test_when_all_have_left_the_model_stops(stable: Any) -> None:
    both = [stable.generate(FOX.model_copy(update=LONG | {"seed": seed})) for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool, rows(stable) as seen:
        for each in together(stable, [lambda each=each: next(each) for each in both], pool):
            each.result()
        for each in both:
            each.close()
        assert len(seen) < 100
        assert drawn(stable).png


def test_one_that_goes_wrong_fails_alone(stable: Any) -> None:
    alone = [last(stable.generate(request)) for request in FOUR]

    def spoil(_: Any, __: Any, noise: tuple[torch.Tensor]) -> None:
        if len(noise[0]) == 8:
            noise[0][1::4] = torch.nan

    hook = stable.text_to_image.unet.register_forward_hook(spoil)
    made = drawn_together(stable, FOUR)
    hook.remove()
    well = [each for each in zip(made, alone, strict=True) if isinstance(each[0], Picture)]
    assert [type(each) for each in made].count(EngineFailed) == 1 and len(well) == 3
    for one, other in well:
        assert np.abs(pixels(one) - pixels(other)).max() <= 1


def test_a_batch_that_memory_is_too_small_for_is_drawn_in_halves(stable: Any) -> None:
    alone = [last(stable.generate(request)) for request in FOUR]

    def full(_: Any, given: tuple[torch.Tensor, ...]) -> None:
        if len(given[0]) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with rows(stable) as seen:
        hook = stable.text_to_image.unet.register_forward_pre_hook(full)
        made = drawn_together(stable, FOUR)
        hook.remove()
    assert seen[-11:] == [4] + [2] * 10
    for one, other in zip(made, alone, strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1


def test_what_nobody_foresaw_ends_the_call_and_not_the_engine(stable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    hook = stable.text_to_image.unet.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(EngineFailed):
        drawn(stable)
    assert [each.exc_type for each in told] == [ZeroDivisionError]
    hook.remove()
    assert drawn(stable).png


@pytest.mark.parametrize("name", get_args(Scheduler))
def test_schedulers(stable: Any, name: str) -> None:
    *steps, picture = stable.generate(FOX.model_copy(update={"scheduler": name}))
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert drawn(stable, scheduler=name).png == picture.png
    if name not in ("", "pndm"):
        assert apart(picture, drawn(stable)) > 0.1
    assert drawn_together(stable, [FOX.model_copy(update={"scheduler": name})] * 2)[0].width == 64


@pytest.fixture(scope="module")
def lora(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights as a training of LoRA leaves them."""
    folder = tmp_path_factory.mktemp("lora")
    pipe = StableDiffusionPipeline.from_pretrained(folders["stable-diffusion-v1-5"])
    pipe.unet.add_adapter(LoraConfig(r=2, init_lora_weights="gaussian", target_modules=["to_q", "to_k", "to_v"]))
    torch.manual_seed(0)
    for name, weight in pipe.unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(pipe.unet))
    return folder


def test_lora_weights_by_their_id(folders: dict[str, Path], lora: Path, stable: Any) -> None:
    plain = drawn(stable)
    engine = build(
        "image", "diffusers", {"weights": str(folders["stable-diffusion-v1-5"]), "loras": {"ink": str(lora)}}
    )
    engine.load()
    ink = drawn(engine, lora="ink")
    assert apart(ink, plain) > 0.5
    assert 0.1 < apart(drawn(engine, lora="ink", lora_scale=0.5), plain) < apart(ink, plain)
    assert drawn(engine).png == plain.png
    mixed = drawn_together(engine, [FOX, FOX.model_copy(update={"lora": "ink"})])
    assert [each.png for each in mixed] == [plain.png, ink.png]
    with pytest.raises(InvalidInput) as refused:
        drawn(engine, lora="../ink")
    assert refused.value.param == "lora"
    engine.close()


def test_a_model_has_a_largest_size(folders: dict[str, Path]) -> None:
    engine = build("image", "diffusers", {"weights": str(folders["stable-diffusion-v1-5"]), "longest": 128})
    engine.load()
    with pytest.raises(InvalidInput) as refused:
        drawn(engine, width=136)
    assert refused.value.param == "width"
    fitting = drawn(engine, width=1280, height=720, fit=True, steps=1)
    assert (fitting.width, fitting.height) == (128, 72)
    assert drawn(engine, width=100, height=90, fit=True, steps=1).width % 8 == 0
    engine.close()
