"""What a caller measured of a film by other means: points of the face, MediaPipe's blendshapes, masks of a parser."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from deployments.avatar.sound import SAMPLES
from tests.media import FILMED
from training.avatar.config import config_of
from training.avatar.known import of_take
from training.avatar.mouth import correlation
from training.avatar.preparation.expression import blendshapes
from training.avatar.preparation.landmarks import COUNT, GROUPS, finder, given
from training.avatar.preparation.parsing import HEAD, Parsing
from training.avatar.preparation.prepare import prepared
from training.avatar.synthetic import Take, write_film
from training.avatar.synthetic.film import FIVE

SECONDS = 4.4
FRAMES = round(SECONDS * 25)
pytest_plugins = ["tests.filmed"]


def file(array: NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def mesh(five: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """As many points as another program finds, of which those that matter are these."""
    points = np.full((len(five), count, 2), 3.0, np.float32)
    for place, group in enumerate(GROUPS[count]):
        points[:, list(group)] = five[:, place, None]
    return points


def shapes(take: Take) -> NDArray[np.float64]:
    made = np.full((FRAMES, 52), 0.5)
    made[:, 8] = made[:, 9] = take.motion.blink[:FRAMES]
    made[:, 2] = take.motion.brows[:FRAMES]
    return made


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("model", "channels"), [("SyncTalk", 7), ("ER-NeRF", 1)])
def test_they_take_the_place_of_what_would_be_found(take: Take, tmp_path: Path, model: Any, channels: int) -> None:
    short = replace(take, frames=take.frames[:FRAMES], sound=take.sound[: FRAMES * SAMPLES])
    write_film(short, tmp_path / "film.mp4")
    five = take.points(np.array(FIVE, np.float32))[:FRAMES]
    config = config_of(model, small=True).model_copy(update={"size": FILMED})
    footage, _ = prepared(
        tmp_path / "film.mp4", config, finder("cpu"), tmp_path, file(mesh(five, 478)), file(shapes(take))
    )
    assert footage.expression.shape == (FRAMES, channels)
    assert correlation(footage.expression[:, 0], take.motion.blink[:FRAMES]) > 0.9
    drift = _nose(footage) - _nose(of_take(take))[:FRAMES]
    assert np.abs(drift - drift.mean(axis=0)).mean() < 2.0


def paint(folder: Path, heads: NDArray[np.bool_]) -> Path:
    """As BiSeNet does it: 512 by 512, whatever the film is."""
    folder.mkdir()
    for row, head in enumerate(heads):
        painted = np.full((*head.shape, 3), 255, np.uint8)
        painted[head] = HEAD
        cv2.imwrite(str(folder / f"{row}.png"), cv2.resize(painted, (512, 512), interpolation=cv2.INTER_NEAREST))
    return folder


@pytest.mark.timeout(120)
def test_masks_of_a_face_parser_take_the_head_away_better(take: Take, tmp_path: Path) -> None:
    short = replace(take, frames=take.frames[:FRAMES], sound=take.sound[: FRAMES * SAMPLES])
    write_film(short, film := tmp_path / "film.mp4")
    heads = (take.frames != take.behind).any(axis=3)[:FRAMES]
    five = file(take.points(np.array(FIVE, np.float32))[:FRAMES])
    config = config_of("SyncTalk", small=True).model_copy(update={"size": FILMED})
    masks = paint(tmp_path / "masks", heads)
    found, _ = prepared(film, config, finder("cpu"), tmp_path, five)
    told, _ = prepared(film, config, finder("cpu"), tmp_path, five, masks=masks)
    assert _off(told, take)[heads].mean() < 0.95 * _off(found, take)[heads].mean()
    assert _off(told, take)[~heads].mean() < _off(found, take)[~heads].mean() < 5
    (masks / "7.png").unlink()
    with pytest.raises(InvalidInput, match=r"7\.png"):
        prepared(film, config, finder("cpu"), tmp_path, five, masks=masks)


def _off(footage: Any, take: Take) -> Any:
    """Grey levels, by pixels, from what is truly behind."""
    return np.abs(footage.behind.astype(np.float32) - take.behind[: len(footage.behind)]).max(axis=3)


def test_masks_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"0\.png"):
        Parsing(tmp_path / "nowhere", 3)
    masks = paint(tmp_path / "masks", np.ones((3, 8, 8), bool))
    assert Parsing(masks, 4).head(3, 20, 10).shape == (10, 20)  # of a last frame that another program left out
    (masks / "1.png").write_bytes(b"no picture")
    cv2.imwrite(str(masks / "2.png"), np.full((8, 8, 3), 255, np.uint8))
    for row in (1, 2):
        with pytest.raises(InvalidInput, match=rf"{row}\.png") as refused:
            Parsing(masks, 3).head(row, 8, 8)
        assert refused.value.param == "masks"


def _nose(footage: Any) -> Any:
    return (footage.head[:, :2] + footage.head[:, 2:]) / 2


@pytest.mark.parametrize("count", sorted(GROUPS))
def test_points_of_every_layout_become_five(count: int) -> None:
    five = np.random.default_rng(1).random((30, COUNT, 2)).astype(np.float32) * 100
    assert np.allclose(given(file(mesh(five, count)), 30), five)
    assert len(given(file(mesh(five, count)), 31)) == 31  # a film's last frame that another program left out


@pytest.mark.parametrize("read", [given, lambda content, count: blendshapes(content, count, 7)])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x, y",
        file(np.array([{"x": 1}], dtype=object)),
        file(np.array(["a"] * 30)),
        file(np.zeros((30, 7))),
        file(np.zeros((12, 68, 2))),
        file(np.zeros((12, 52))),
        file(np.full((30, 68, 2), np.nan)),
        file(np.full((30, 52), np.inf)),
        file(np.zeros((0, 68, 2))),
        file(np.float64(3)),
        file(np.zeros((30, 52), complex)),
    ],
)
def test_files_that_are_none_are_refused(read: Any, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(content, 30)
    assert refused.value.param in ("landmarks", "expression")
