"""A classifier taught by folders of pictures: what it is taught with, what it learns, how it goes on and ends."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from contracts.errors import EngineFailed, InvalidInput, ServiceError, UnsupportedMedia
from contracts.platform import Figures
from contracts.settings import Settings
from deployments.registry import build
from store.labelled import check, packed
from store.runs import Run
from tests.checkpoints import sight
from tests.drawn import CLASSES, class_folders, drawn
from tests.media import picture
from training.checkpoints import Checkpoints
from training.classifier import train
from training.recipe import ClassifierConfig, Outcome

EACH = 10


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resnet")
    sight.build_resnet(folder)
    return folder


@pytest.fixture(scope="module")
def pictures() -> bytes:
    return class_folders(EACH)


class Taught:
    """A training in a folder of its own."""

    def __init__(self, base: Path, pictures: bytes, folder: Path, **fields: object) -> None:
        settled = {"base": str(base), "epochs": 12, "batch_size": 6, "learning_rate": 0.003, "save_steps": 4}
        self.config = ClassifierConfig.model_validate(settled | fields)
        self.pictures, self.output = pictures, folder / "model"
        self.run = Run(Settings(artifacts_url=folder.as_uri()), "run")
        self.told: list[Figures] = []

    def train(self, should_stop: Callable[[], bool] = lambda: False) -> Outcome:
        torch.set_num_threads(1)
        kept = lambda mark: Checkpoints(self.run, mark)  # noqa: E731
        dataset = packed(io.BytesIO(self.pictures))
        return train(self.config, dataset, kept, self.output, self.told.append, should_stop)


@pytest.fixture(scope="module")
def unbroken(base: Path, pictures: bytes, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    taught = Taught(base, pictures, tmp_path_factory.mktemp("unbroken"))
    taught.train()
    return taught


def test_it_learns_and_tells_how_far_it_is(unbroken: Taught) -> None:
    first, last = unbroken.told[0], unbroken.told[-1]
    assert (first.current_step, first.current_epoch, first.total_epochs) == (1, 1, 12)
    assert last.current_step == last.total_steps == 12 * 4  # 24 taught, six at a time
    assert len(unbroken.told) == last.total_steps + 1  # and the judgement of the whole
    assert last.metrics["held_out_loss"] < last.metrics["base_loss"]
    assert last.metrics["accuracy"] > 0.8 and last.metrics["f1_score"] > 0.75
    assert 0 < last.learning_rate < first.learning_rate * 10 and last.metrics["pictures_per_s"] > 0


def test_what_is_kept_answers_by_the_engine(unbroken: Taught) -> None:
    engine = build("classification", "transformers", {"weights": str(unbroken.output)})
    engine.load()
    unseen = [(label, Image.open(io.BytesIO(drawn(prompt, 1000)))) for label, prompt in CLASSES.items()]
    answers = engine.classify([each.convert("RGB") for _, each in unseen])
    assert {each.label for each in answers[0]} == set(CLASSES)
    assert sum(answer[0].label == label for answer, (label, _) in zip(answers, unseen, strict=True)) >= 2
    manifest = json.loads((unbroken.output / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["labels"], manifest["samples"], manifest["state"]) == (sorted(CLASSES), 30, "completed")


def test_one_that_is_killed_goes_on_as_if_it_had_not_been(unbroken: Taught, tmp_path: Path) -> None:
    broken = Taught(Path(unbroken.config.base), unbroken.pictures, tmp_path)

    def dies() -> bool:
        if len(broken.told) == 22:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        broken.train(dies)
    assert not broken.output.exists()
    outcome = broken.train()
    assert broken.told[22].current_step == 21  # the newest checkpoint is after 20 steps
    expected = unbroken.told[-1]
    assert outcome.figures.loss == pytest.approx(expected.loss, rel=1e-3)
    for name in ("accuracy", "f1_score", "base_loss", "held_out_loss"):
        assert outcome.figures.metrics[name] == pytest.approx(expected.metrics[name], rel=1e-3), name


def test_one_that_is_stopped_keeps_what_it_has(unbroken: Taught, tmp_path: Path) -> None:
    stopped = Taught(Path(unbroken.config.base), unbroken.pictures, tmp_path)
    outcome = stopped.train(lambda: len(stopped.told) >= 5)
    assert (outcome.state, outcome.figures.current_step) == ("stopped", 5)
    assert json.loads((stopped.output / "manifest.json").read_text(encoding="utf-8"))["step"] == 5


def test_one_that_learns_nothing_is_not_kept(unbroken: Taught, tmp_path: Path) -> None:
    wild = Taught(Path(unbroken.config.base), unbroken.pictures, tmp_path, epochs=2, learning_rate=1.0)
    with pytest.raises(EngineFailed, match="学习率"):
        wild.train()
    assert not wild.output.exists()


def zipped(*names: str, **files: bytes) -> bytes:
    """With empty folders of these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(f"{name}/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def shades(label: str, *tones: int) -> dict[str, bytes]:
    return {f"{label}/{tone}.png": picture(width=20 + tone) for tone in tones}


BAD = {
    "an empty class folder": (zipped("狗", **shades("猫", 1, 2), **shades("鸟", 3, 4)), "类别文件夹是空的：狗"),
    "one class": (zipped(**shades("猫", 1, 2)), "至少需要两个类别"),
    "one picture of a class": (zipped(**shades("猫", 1, 2), **shades("狗", 3)), "狗 的图片太少"),
    "one picture twice": (
        zipped(**shades("猫", 1, 2), **shades("狗", 3), **{"狗/x.png": picture(width=23)}),
        "狗 的图片太少",
    ),
    "one picture in two classes": (zipped(**shades("猫", 1, 2), **shades("狗", 1, 3)), "同一张图片"),
    "no folders": (zipped(**{"a.png": picture(), "b.png": picture()}), "文件夹中"),
}


@pytest.mark.parametrize("name", BAD)
def test_pictures_that_teach_nothing_are_refused(name: str) -> None:
    content, told = BAD[name]
    with pytest.raises(InvalidInput, match=told):
        check(packed(io.BytesIO(content)))


def test_other_files_are_refused() -> None:
    with pytest.raises(UnsupportedMedia):
        check(packed(io.BytesIO(zipped(**shades("猫", 1, 2), **{"狗/说明.txt": b"x"}))))


def test_a_picture_that_does_not_decode_is_named(base: Path, tmp_path: Path) -> None:
    cut = zipped(**shades("猫", 1, 2), **shades("狗", 3, 4), **{"狗/5.jpg": picture("JPEG")[:200]})
    with pytest.raises(ServiceError, match=r"狗/5\.jpg") as refused:
        Taught(base, cut, tmp_path).train()
    assert refused.value.param == "dataset_path"
