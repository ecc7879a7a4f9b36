"""Films that models make by themselves: through the real libraries, at the size of a stamp, decoded again."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contracts.errors import EngineFailed, InvalidInput, ServiceError, Unavailable
from contracts.model import Progress
from contracts.video import ClipRequest
from deployments.registry import build
from deployments.video.footage import covering, paced, write
from tests import runway_service
from tests.checkpoints.footage import ltx, wan

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated"),  # a model of transformers, when imported
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # a scheduler of diffusers, beside NumPy 2
]
BUILDERS: dict[str, Callable[[Path], None]] = {"wan": wan, "ltx": ltx}
FOX = ClipRequest(prompt="a fox by a lake", width=128, height=128, fps=8, duration_s=1, steps=3, seed=7)
LONG = {"steps": 100}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("weights")
    for name, write_model in BUILDERS.items():
        write_model(root / name)
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
    yield from loaded(folders[request.param], fps=8)


def loaded(folder: Path, **options: Any) -> Iterator[Any]:
    engine = build("video", "diffusers", {"weights": str(folder)} | options)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (300, 200), "orange").save(tmp_path / "orange.png")
    return tmp_path / "orange.png"


def shown(path: Path) -> tuple[np.ndarray, float]:
    """(frames, rows, columns, 3), and how many a second."""
    with av.open(path) as container:
        [stream] = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
        return frames, float(stream.average_rate)


def filmed(engine: Any, output: Path, picture: Path | None = None, **change: Any) -> np.ndarray:
    list(engine.generate(FOX.model_copy(update=change), picture, output))
    return shown(output)[0].astype(int)


@pytest.mark.parametrize("from_picture", [False, True])
def test_progress_is_told_after_each_step(engine: Any, tmp_path: Path, picture: Path, from_picture: bool) -> None:
    output = tmp_path / "film.mp4"
    told = [each.fraction for each in engine.generate(FOX, picture if from_picture else None, output)]
    assert told[:3] == pytest.approx([0.3, 0.6, 0.9]) and told == sorted(told) and told[-1] == 1
    frames, rate = shown(output)
    assert (frames.shape, rate) == ((8, 128, 128, 3), 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "orange.png"]


def test_what_is_asked_counts(engine: Any, tmp_path: Path, picture: Path) -> None:
    first = filmed(engine, tmp_path / "a.mp4")
    assert (filmed(engine, tmp_path / "b.mp4") == first).all()
    other: list[dict[str, Any]] = [{"seed": 8}, {"prompt": "zzz"}, {"steps": 5}]
    for change in other:
        assert np.abs(filmed(engine, tmp_path / "c.mp4", **change) - first).mean() > 0.2, change
    blue = tmp_path / "blue.png"
    Image.new("RGB", (128, 128), "blue").save(blue)
    of_orange, of_blue = (filmed(engine, tmp_path / "c.mp4", given) for given in (picture, blue))
    assert np.abs(of_orange - of_blue).mean() > 0.2 < np.abs(of_orange - first).mean()


@pytest.mark.parametrize(
    ("width", "height", "fps", "duration_s"), [(128, 128, 8, 0.01), (192, 130, 24, 0.7), (130, 192, 3, 2)]
)
def test_size_rate_and_length_are_as_asked(
    engine: Any, tmp_path: Path, width: int, height: int, fps: int, duration_s: float
) -> None:
    change = {"width": width, "height": height, "fps": fps, "duration_s": duration_s, "steps": 1}
    list(engine.generate(FOX.model_copy(update=change), None, tmp_path / "film.mp4"))
    frames, rate = shown(tmp_path / "film.mp4")
    assert (frames.shape, rate) == ((max(1, round(duration_s * fps)), height, width, 3), fps)


def test_closing_stops_the_model_within_a_step(engine: Any, tmp_path: Path) -> None:
    looks: list[None] = []
    hook = engine.text_to_video.transformer.register_forward_pre_hook(lambda *_: looks.append(None))
    items = engine.generate(FOX.model_copy(update=LONG), None, tmp_path / "film.mp4")
    next(items)
    begun = len(looks)
    items.close()
    hook.remove()
    assert len(looks) <= begun + 2 and not list(tmp_path.iterdir())
    assert len(filmed(engine, tmp_path / "film.mp4")) == 8


def test_films_take_turns_and_who_waits_can_leave(engine: Any, tmp_path: Path) -> None:
    first, second = (engine.generate(FOX, None, tmp_path / name) for name in ("a.mp4", "b.mp4"))
    assert next(first).fraction > 0
    assert next(second) == Progress(fraction=0)
    second.close()
    assert list(first)[-1] == Progress(fraction=1)


@pytest.mark.parametrize(
    ("change", "param"), [({"width": 1282}, "width"), ({"height": 1400}, "height"), ({"duration_s": 5.5}, "duration")]
)
def test_what_is_beyond_the_model_is_refused(engine: Any, tmp_path: Path, change: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        filmed(engine, tmp_path / "film.mp4", **change)
    assert refused.value.param == param


def test_too_little_memory_is_an_answer(engine: Any, tmp_path: Path) -> None:
    before = filmed(engine, tmp_path / "a.mp4")
    full = engine.text_to_video.vae.decoder.register_forward_pre_hook(_no_memory)
    with pytest.raises(EngineFailed, match="内存"):
        filmed(engine, tmp_path / "b.mp4")
    full.remove()
    assert not (tmp_path / "b.mp4").exists()
    assert (filmed(engine, tmp_path / "c.mp4") == before).all()


def _no_memory(*_: Any) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_no_number_is_no_film(folders: dict[str, Path], tmp_path: Path) -> None:
    for engine in loaded(folders["ltx"]):
        engine.text_to_video.transformer.proj_out.bias.data.fill_(math.nan)
        with pytest.raises(EngineFailed, match="不是数"):
            filmed(engine, tmp_path / "film.mp4")


def test_a_wan_that_was_taught_texts_alone_takes_no_picture(tmp_path: Path, picture: Path) -> None:
    wan(tmp_path / "wan", expand_timesteps=False)
    for engine in loaded(tmp_path / "wan", call={"guidance_scale": 1.0, "negative_prompt": "blurred"}):
        with pytest.raises(InvalidInput, match="不能按图片"):
            filmed(engine, tmp_path / "film.mp4", picture)


def test_what_is_no_model_of_films_is_not_loaded(tmp_path: Path) -> None:
    from tests.checkpoints.diffusion import stable_diffusion

    stable_diffusion(tmp_path / "sd")
    for weights in (tmp_path / "sd", tmp_path / "none"):
        with pytest.raises(Unavailable):
            next(loaded(weights))


@given(st.integers(1, 60), st.floats(1, 60), st.integers(1, 200), st.integers(1, 100))
def test_frames_are_those_of_their_time(fps: int, rate_hz: float, count: int, there: int) -> None:
    blank = [np.full((1, 1, 3), number, np.uint8) for number in range(there)]
    seen = [int(pixels[0, 0, 0]) for pixels in paced(blank, rate_hz, fps, count)]
    assert seen == [min(there - 1, math.floor(number * rate_hz / fps + 1e-6)) for number in range(count)]


def test_a_film_of_no_frames_is_none(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed):
        write([], 8, FOX, tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_a_frame_is_cut_evenly_to_the_proportions() -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 255
    assert covering(pixels, FOX).shape == (128, 128, 3) and covering(pixels, FOX).mean() > 253


def test_the_visible_mark_is_on_the_opening(tmp_path: Path) -> None:
    grey = [np.full((128, 128, 3), 120, np.uint8)] * 2
    write(grey, 1, FOX.model_copy(update={"mark": "AI生成", "duration_s": 4}), tmp_path / "film.mp4")
    frames, _ = shown(tmp_path / "film.mp4")
    spread = frames.std(axis=(1, 2, 3))
    assert len(spread) == 32 and (spread[:16] > 8).all() and (spread[21:] < 3).all()


@pytest.fixture
def runway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RUNWAYML_API_SECRET", runway_service.SECRET)
    with runway_service.serving() as url:
        engine = build("video", "runway", {"base_url": url, "poll_s": 0.01, "timeout_s": 5})
        engine.load()
        yield engine


def test_runway_films_a_picture(runway: Any, tmp_path: Path, picture: Path) -> None:
    """Created, looked at until it is done, got, and brought to what was asked."""
    asked = FOX.model_copy(update={"width": 640, "height": 360, "fps": 10, "duration_s": 1.5, "prompt": "it runs"})
    told = [each.fraction for each in runway.generate(asked, picture, tmp_path / "film.mp4")]
    assert told == sorted(told) and {0.0, 0.225, 0.675, 0.9, 1.0} <= set(told)
    [task] = runway_service.Service.asked
    assert task.pop("promptImage").startswith("data:image/jpeg;base64,/9j/")
    assert task == {
        "path": "/v1/image_to_video",
        "model": "gen4_turbo",
        "promptText": "it runs",
        "ratio": "1280:720",
        "duration": 2,
        "seed": 7,
    }
    frames, rate = shown(tmp_path / "film.mp4")
    assert (frames.shape, rate) == ((15, 360, 640, 3), 10)
    assert not runway_service.Service.cancelled
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "orange.png"]


@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(720, 1280, "720:1280"), (512, 512, "960:960"), (1920, 820, "1584:672")]
)
def test_runway_is_asked_for_the_nearest_proportions(
    runway: Any, tmp_path: Path, picture: Path, width: int, height: int, ratio: str
) -> None:
    filmed(runway, tmp_path / "film.mp4", picture, width=width, height=height)
    assert runway_service.Service.asked[0]["ratio"] == ratio


def test_closing_cancels_at_runway(runway: Any, tmp_path: Path, picture: Path) -> None:
    items = runway.generate(FOX.model_copy(update={"prompt": "for ever"}), picture, tmp_path / "film.mp4")
    assert [next(items).fraction for _ in range(5)][-1] == 0.675
    items.close()
    assert runway_service.Service.cancelled == ["17462ac4-0000-4000-8000-000000000001"]
    assert [path.name for path in tmp_path.iterdir()] == ["orange.png"]


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"prompt": "it fails"}, "engine_failed", "SAFETY.INPUT.TEXT"),
        ({"prompt": "no film"}, "engine_failed", "不是视频"),
        ({"prompt": "status 400"}, "engine_failed", "400"),
        ({"prompt": "status 429"}, "overloaded", "稍后"),
        ({"prompt": "status 503"}, "unavailable", "稍后"),
        ({"prompt": "长" * 1_001}, "invalid_input", "1000"),
        ({"duration_s": 11}, "invalid_input", "10"),
    ],
)
def test_what_fails_at_runway_says_so(
    runway: Any, tmp_path: Path, picture: Path, change: dict[str, Any], code: str, word: str
) -> None:
    with pytest.raises(ServiceError) as failed:
        filmed(runway, tmp_path / "film.mp4", picture, **change)
    assert failed.value.code == code and word in failed.value.message
    assert runway_service.SECRET not in failed.value.message
    assert not (tmp_path / "film.mp4").exists()


def test_runway_that_never_ends_is_given_up(runway: Any, tmp_path: Path, picture: Path) -> None:
    runway.timeout_s = 0.3
    with pytest.raises(ServiceError) as failed:
        filmed(runway, tmp_path / "film.mp4", picture, prompt="for ever")
    assert failed.value.code == "deadline" and runway_service.Service.cancelled


def test_runway_needs_a_key_a_picture_and_a_service(
    runway: Any, tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="图片"):
        filmed(runway, tmp_path / "film.mp4")
    monkeypatch.setenv("RUNWAYML_API_SECRET", "another")
    with pytest.raises(Unavailable, match="密钥"):
        filmed(runway, tmp_path / "film.mp4", picture)
    monkeypatch.delenv("RUNWAYML_API_SECRET")
    with pytest.raises(Unavailable, match="RUNWAYML_API_SECRET"):
        filmed(runway, tmp_path / "film.mp4", picture)
