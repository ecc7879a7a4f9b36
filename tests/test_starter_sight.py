"""The starter classifier and detector: what the scenes teach, how the two learn, and what those that ship can do."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from contracts.catalog import CATALOG, models
from deployments.registry import load
from training.starter.sight import classifier, crops, detector, pool, views
from training.starter.sight.dense import assigned, dense_loss, overlap
from training.starter.sight.evaluate import about, matched
from training.starter.sight.export import LARGEST_BYTES, export_classifier, export_detector
from training.starter.sight.labels import CLASSES, KINDS, chinese, kind_of
from training.starter.sight.pool import Pool
from training.starter.sight.scenes import FIGURES, SIDE, Scene, asked, scene

SHIPPED = [CATALOG / "starter" / name for name in ("classifier", "detector")]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "SHARD", 24)
        folder = tmp_path_factory.mktemp("scenes")
        first = pool.pool(folder, "tests", 1)
        again = pool.pool(folder, "tests", 1)
    assert all(np.array_equal(first[each].picture, again[each].picture) for each in range(len(again)))
    return first


def test_the_same_number_is_the_same_scene(scenes: Pool) -> None:
    drawn = scene("tests", 5)
    assert np.array_equal(drawn.picture, scenes[5].picture) and drawn.things == scenes[5].things
    assert not np.array_equal(scene("others", 5).picture, drawn.picture)
    prompts = {asked(Random(number))[1] for number in range(200)}
    assert len(prompts) > 180


def test_every_label_has_a_chinese_word() -> None:
    for labels in (CLASSES, KINDS):
        words = [chinese(label) for label in labels]
        assert len(set(labels)) == len(labels) == len(set(words)) and all("一" <= word[0] <= "鿿" for word in words)
    assert [kind_of(name) for name in ("cat", "pine", "girl", "mountain")] == ["animal", "tree", "person", ""]


def test_lessons_are_about_what_is_on_them(scenes: Pool) -> None:
    rng = Random(1)
    for number in range(len(scenes)):
        if found := crops.part(scenes[number], rng):
            (x1, y1, x2, y2), label = found
            assert 0 <= x1 < x2 <= SIDE and 0 <= y1 < y2 <= SIDE
            boxes = [thing.box for thing in scenes[number].things if thing.label == label]
            near = [box for box in boxes if min(box[2], x2) > max(box[0], x1) and min(box[3], y2) > max(box[1], y1)]
            assert near or label == "landscape"
    [batch] = islice(crops.Crops(scenes, 8, seed=1), 1)
    assert batch.pixels.shape == (8, 3, crops.LOOK, crops.LOOK) and batch.pixels.abs().max() <= 1


def test_views_move_their_boxes_along(scenes: Pool) -> None:
    whole = views.found(scenes[0], (0, 0, SIDE, SIDE))
    assert len(whole["boxes"]) == sum(bool(kind_of(thing.label)) for thing in scenes[0].things)
    half = views.found(scenes[0], (0, 0, SIDE / 2, SIDE))
    assert len(half["boxes"]) < len(whole["boxes"])
    for batch in islice(views.Views(scenes, 4, seed=1), 3):
        for labels in batch.labels:
            low, high = (
                labels["boxes"][:, :2] - labels["boxes"][:, 2:] / 2,
                labels["boxes"][:, :2] + labels["boxes"][:, 2:] / 2,
            )
            assert low.min() > -1e-5 and high.max() < 1 + 1e-5


def box(*values: float) -> Tensor:
    return torch.tensor([values])


def test_overlaps() -> None:
    iou, wide = overlap(box(0.5, 0.5, 0.4, 0.4), box(0.5, 0.5, 0.2, 0.4))
    assert iou.item() == pytest.approx(0.5) and wide.item() == pytest.approx(0.5)
    apart, far = overlap(box(0.2, 0.2, 0.2, 0.2), box(0.8, 0.8, 0.2, 0.2))
    assert apart.item() == 0 and far.item() < -0.5


def test_things_are_learnt_by_the_places_that_tell_them_best() -> None:
    boxes = torch.cat(
        [box(0.3, 0.3, 0.2, 0.2), box(0.32, 0.3, 0.3, 0.2), box(0.7, 0.7, 0.1, 0.1), box(0.9, 0.1, 0.1, 0.1)]
    )
    known = {
        "boxes": torch.cat([box(0.3, 0.3, 0.2, 0.2), box(0.7, 0.7, 0.1, 0.12)]),
        "class_labels": torch.tensor([0, 1]),
    }
    place, thing, worth = assigned(torch.zeros(4, 2), boxes, known)
    told = {
        one: (other, value) for one, other, value in zip(place.tolist(), thing.tolist(), worth.tolist(), strict=True)
    }
    assert told[0] == (0, pytest.approx(1)) and told[1][0] == 0 and told[1][1] < 0.5 and told[2][0] == 1
    right = torch.full((4, 2), -6.0)
    right[0, 0] = right[2, 1] = 6
    loss = dense_loss(right[None], boxes[None], [known])
    assert loss < dense_loss(-right[None], boxes[None], [known])
    assert (
        dense_loss(right[None], boxes[None], [{"boxes": torch.zeros(0, 4), "class_labels": torch.zeros(0).long()}]) > 0
    )


def small(folder: Path) -> tuple[classifier.Config, detector.Config]:
    return (
        classifier.Config(folder / "classifier", steps=4, batch=4, shards=1),
        detector.Config(folder / "detector", steps=3, batch=2, shards=1),
    )


def test_both_learn_go_on_and_are_written(scenes: Pool, tmp_path: Path) -> None:
    """Not what they would know in the end: that it can be loaded."""
    for config, run, export in zip(
        small(tmp_path), (classifier.Run, detector.Run), (export_classifier, export_detector), strict=True
    ):
        training = run(config, scenes)
        training.train(lambda at: None, lambda training=training: training.progress.step == 2)  # type: ignore[misc]
        whole = run(config, scenes)
        assert whole.progress.step == 2
        whole.train(lambda at: None, lambda: False)
        assert whole.progress.step == config.steps and np.isfinite(whole.progress.loss)
        report = export(whole, tmp_path / "out" / config.folder.name, scenes=3)
        assert report["scenes"] <= 3
    assert {each.name for each in (tmp_path / "out/detector").iterdir()} == {each.name for each in SHIPPED[1].iterdir()}


def test_those_that_ship_are_small() -> None:
    assert sum(file.stat().st_size for folder in SHIPPED for file in folder.iterdir()) <= LARGEST_BYTES


@pytest.fixture(scope="module")
def unseen() -> list[Scene]:
    return [scene("unseen by any", number) for number in range(24)]


def look(model: str, pictures: Sequence[Scene]) -> list[list[object]]:
    spec = models()[model]
    engine = load(spec)
    opened = [Image.fromarray(each.picture) for each in pictures]
    told: list[list[object]] = engine.classify(opened) if spec.capability == "classification" else engine.detect(opened)
    return told


def test_the_classifier_knows_unseen_scenes(unseen: list[Scene]) -> None:
    plain = [each for each in unseen if about(each)]
    answers = look("starter-classifier", plain)
    right = [answer[0].label == chinese(about(each)) for answer, each in zip(answers, plain, strict=True)]  # type: ignore
    assert len(plain) > 12 and sum(right) / len(right) > 0.6


def test_the_detector_finds_what_is_on_unseen_scenes(unseen: list[Scene]) -> None:
    found = things = told = 0
    for answer, each in zip(look("starter-detector", unseen), unseen, strict=True):
        wanted = [(chinese(kind), thing) for thing in each.things if (kind := kind_of(thing.label))]
        found += len(matched(answer, wanted))  # type: ignore[arg-type]
        things, told = things + len(wanted), told + len(answer)
    assert found / told > 0.6 and found / things > 0.4


def test_figures_are_classes() -> None:
    assert set(FIGURES) - {"child"} < set(CLASSES)
