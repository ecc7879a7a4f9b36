"""The starter diffusion model: its recipe learns and can be resumed, and what is shipped draws as its card says."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPTokenizer

from contracts.catalog import CATALOG, models
from contracts.image import ImageRequest, Picture
from deployments.image.engine import ImageEngine
from deployments.image.painter.reading import read
from deployments.registry import build
from training.starter.diffusion import autoencoder, judge
from training.starter.diffusion.captions import COUNTED, PAIRS, captions, unseen
from training.starter.diffusion.export import LARGEST_BYTES, export, weight
from training.starter.diffusion.pictures import SIDE, draw, kept
from training.starter.diffusion.run import Config, Run
from training.starter.diffusion.tokenizer import LENGTH
from training.starter.diffusion.tokenizer import kept as kept_tokenizer
from training.starter.diffusion.train import coded, started

SHIPPED = CATALOG / "starter" / "diffusion"
pytestmark = pytest.mark.filterwarnings("default")  # of the libraries, at their first import
PICTURES = 24


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a network is slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_painter_draws_what_a_caption_names() -> None:
    for caption in [*islice(captions(5), 300), *islice(unseen(5), 100)]:
        scene = read(caption.text, caption.seed)
        figures = [figure.look.species for figure in (scene.hero, *scene.others) if figure]
        there = {*figures, *(thing.label for thing in scene.things)}
        assert there == set(caption.names) & set(COUNTED), caption


def test_training_never_names_a_held_out_pair() -> None:
    named = [frozenset(caption.names[:2]) for caption in islice(captions(1), 3000)]
    assert not set(named) & set(map(frozenset, PAIRS))
    assert {frozenset(caption.names[:2]) for caption in islice(unseen(0), 400)} <= set(map(frozenset, PAIRS))
    assert list(islice(captions(1, start=7), 3)) == list(islice(captions(1), 10))[7:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a training, with its first pictures."""
    folder = tmp_path_factory.mktemp("diffusion")
    draw(folder, 1, PICTURES // 2)
    with (folder / "pictures").open("ab") as file:
        file.write(b"cut short")
    draw(folder, 1, PICTURES)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> CLIPTokenizer:
    return kept_tokenizer(folder / "tokenizer")


def test_pictures_go_on_where_they_stopped(folder: Path, tmp_path: Path) -> None:
    draw(tmp_path, 1, 14)
    assert (kept(folder)[:14] == kept(tmp_path)).all() and len(kept(folder)) == PICTURES


@pytest.mark.parametrize("text", ["一只小狐狸和一座红色的城堡", "a fox beside a hot air balloon", ""])
def test_a_character_or_a_word_is_one_token(tokenizer: CLIPTokenizer, text: str) -> None:
    pieces = text.split() if text.isascii() else list(text)
    assert len(tokenizer(text)["input_ids"]) == len(pieces) + 2
    assert tokenizer.model_max_length == LENGTH and len(CLIPTokenizer.from_pretrained(tokenizer.name_or_path)) == len(
        tokenizer
    )


@pytest.fixture(scope="module")
def coding(folder: Path) -> autoencoder.Run:
    config = autoencoder.Config(folder / "autoencoder", steps=14, warmup=2, width=16, latents=4, batch=4)
    stopped = autoencoder.Run(config)
    stopped.train(lambda at: None, lambda: stopped.progress.step >= 5)
    return coded(config)


def test_the_autoencoder_learns(coding: autoencoder.Run, folder: Path) -> None:
    fresh = autoencoder.Run(replace(coding.config, folder=folder / "fresh"))
    batch = next(fresh.batches())
    with torch.inference_mode():
        assert coding.loss(batch) < fresh.loss(batch) - 0.1
    assert coding.progress.step == 14


def until(folder: Path, coding: autoencoder.Run, step: int) -> Run:
    config = Config(folder, steps=12, warmup=2, learning_rate=5e-3, widths=(16, 32), batch=8, pictures=PICTURES)
    training = started(config, coding)
    training.train(lambda at: None, lambda: training.progress.step >= step)
    return training


def loss(training: Run) -> float:
    """Of pictures that the first steps did not see."""
    batch = next(islice(training.batches(), 1, None))
    with torch.inference_mode():
        return torch.stack(training.model.losses(batch)).sum().item()


@pytest.fixture(scope="module")
def whole(folder: Path, coding: autoencoder.Run) -> Run:
    return until(folder, coding, 12)


def test_training_learns_and_a_resumed_run_is_the_same(whole: Run, coding: autoencoder.Run, folder: Path) -> None:
    (folder / "resumed").mkdir()
    (folder / "resumed" / "pictures").symlink_to(folder / "pictures")
    untrained = loss(until(folder / "resumed", coding, 0))
    until(folder / "resumed", coding, 5)
    resumed = until(folder / "resumed", coding, 12)
    assert resumed.progress.step == 12 and resumed.progress.pictures == whole.progress.pictures
    assert resumed.progress.loss == pytest.approx(whole.progress.loss, rel=1e-4)
    assert loss(resumed) == pytest.approx(loss(whole), rel=1e-3)
    assert loss(whole) < untrained - 1


@pytest.fixture(scope="module")
def taught(folder: Path) -> judge.Judge:
    config = judge.Config(folder / "judge", steps=4, warmup=1, batch=8, pictures=16, measured=4)
    return judge.trained(config)


def test_the_card_says_what_was_measured(whole: Run, taught: judge.Judge, tmp_path: Path) -> None:
    report = export(whole, tmp_path, taught, scale=0.01)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"{whole.progress.step} steps, {whole.progress.pictures} pictures" in card and "{" not in card
    assert f"| a thing | {report['model']['each']:.0%} |" in card
    with Image.open(tmp_path / "previews.jpg") as sheet:
        assert sheet.size == (5 * SIDE, 2 * SIDE)
    assert_whole(tmp_path)


def assert_whole(folder: Path) -> None:
    """Every file is the one of the card, and all together are small."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\| (\S+) \| `([0-9a-f]{64})` \|", card))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert told.keys() == there - {"README.md"}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in told.items())
    assert weight(folder) <= LARGEST_BYTES


def test_what_is_shipped_is_whole() -> None:
    assert_whole(SHIPPED)
    spec = models()["starter-diffusion"]
    assert not spec.needs and spec.edits and CATALOG / spec.options["weights"] == SHIPPED


@pytest.fixture(scope="module")
def engine() -> Iterator[ImageEngine]:
    engine = build("image", "diffusers", {"weights": str(SHIPPED)})
    engine.load()
    yield engine
    engine.close()


def pixels(engine: ImageEngine, **asked: Any) -> np.ndarray:
    """(256, 256, 3)."""
    picture = asked.pop("picture", None)
    request = ImageRequest(**{"prompt": "一只狐狸", "width": SIDE, "height": SIDE, "steps": 6, **asked})
    *_, last = engine.generate(request, picture)
    assert isinstance(last, Picture)
    return np.asarray(Image.open(io.BytesIO(last.png)), dtype=float)


def test_what_is_shipped_draws_an_hour_as_asked(engine: ImageEngine) -> None:
    day, night = (
        np.mean([pixels(engine, prompt=f"{hour}，草地上有一只狐狸", seed=seed).mean() for seed in range(3)])
        for hour in ("白天", "深夜")
    )
    assert night < day - 30


def test_what_is_shipped_heeds_a_negative_prompt(engine: ImageEngine) -> None:
    asked = {"prompt": "草地上有一只狐狸", "seed": 4}
    light = pixels(engine, **asked, negative_prompt="深夜").mean()
    assert light > pixels(engine, **asked, negative_prompt="白天").mean() + 5


def test_what_is_shipped_keeps_a_picture_in_step_with_strength(engine: ImageEngine, tmp_path: Path) -> None:
    source = pixels(engine, seed=1)
    Image.fromarray(source.astype(np.uint8)).save(tmp_path / "source.png")
    alike = [
        np.corrcoef(
            source.ravel(),
            pixels(
                engine, prompt="night, a castle", seed=2, picture=tmp_path / "source.png", strength=strength
            ).ravel(),
        )[0, 1]
        for strength in (0.2, 0.9)
    ]
    assert alike[0] > 0.9 and alike[0] > alike[1] + 0.1
