"""What a caller measured of a film by other means: points of the face, and MediaPipe's blendshapes."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

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
