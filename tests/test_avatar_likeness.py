"""LPIPS, with weights in the published layout that were taught nothing; and a training that is led by it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from contracts.errors import InvalidInput, Unavailable
from training.avatar.config import AvatarConfig, Stage, config_of
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Footage
from training.avatar.known import of_take
from training.avatar.likeness import BACKBONE, LINEAR, Lpips, opened
from training.avatar.synthetic import shoot
from training.avatar.synthetic.film import Scene


class Forgotten:
    def save(self, step: int, state: dict[str, Any]) -> None:
        pass

    def newest(self) -> None:
        return None


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder: AlexNet with its classifier, as torchvision has it, and the package's linear layers."""
    torch.manual_seed(0)
    folder, model = tmp_path_factory.mktemp("lpips"), Lpips()
    features = {f"features.{name}": each for name, each in model.features.state_dict().items()}
    torch.save(features | {"classifier.6.bias": torch.zeros(1000)}, folder / BACKBONE)
    sizes = [len(each.flatten()) for each in model.weights]
    linear = {f"lin{level}.model.1.weight": torch.rand(1, size, 1, 1) for level, size in enumerate(sizes)}
    torch.save(linear, folder / LINEAR)
    return folder


@pytest.fixture(scope="module")
def footage() -> Footage:
    return of_take(shoot(Scene(side=64, seconds=2)))


def test_what_is_blurred_more_is_more_unlike(published: Path) -> None:
    lpips, picture = Lpips.of(published), torch.rand(2, 3, 64, 64)
    blurred = [interpolate(avg_pool2d(picture, by), scale_factor=by) for by in (1, 2, 4)]
    same, little, much = (float(lpips(each, picture)) for each in blurred)
    assert same == 0 and 0 < little < much
    leaning = picture.clone().requires_grad_(True)
    lpips(leaning, blurred[1]).backward()
    assert leaning.grad is not None and bool(leaning.grad.abs().sum() > 0)


def test_squares_with_room_for_it_are_compared_by_it(published: Path, footage: Footage) -> None:
    wide, narrow = (_config(patch) for patch in (32, 16))
    assert _taught(wide, footage, Lpips.of(published)) != _taught(wide, footage, None)
    assert _taught(narrow, footage, Lpips.of(published)) == _taught(narrow, footage, None)


def _config(patch: int) -> AvatarConfig:
    stages = (Stage(steps=1, patch=patch),)
    return config_of("ER-NeRF", small=True).model_copy(update={"stages": stages, "size": 64, "frames": 1})


def _taught(config: AvatarConfig, footage: Footage, lpips: Lpips | None) -> float:
    training = AvatarTraining(config, footage, lambda _: Forgotten(), lpips=lpips)
    training.run()
    return training.loss


def test_checkpoints_of_other_weights_are_not_gone_on_from(published: Path, footage: Footage) -> None:
    marks = set()
    for lpips in (None, Lpips.of(published), Lpips()):
        training = AvatarTraining(_config(32), footage, lambda _: Forgotten(), lpips=lpips)
        marks.add(training.fingerprint)
    assert len(marks) == 3


def test_it_is_used_where_its_weights_are(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened() is None
    monkeypatch.setenv("TROUPE_LPIPS", str(published))
    assert opened() is not None
    monkeypatch.setenv("TROUPE_LPIPS", str(tmp_path))
    with pytest.raises(Unavailable, match=BACKBONE):
        opened()


@pytest.mark.parametrize("broken", [BACKBONE, LINEAR])
def test_what_is_not_its_weights_is_refused(published: Path, tmp_path: Path, broken: str) -> None:
    for name in (BACKBONE, LINEAR):
        (tmp_path / name).write_bytes((published / name).read_bytes())
    for content in (b"", b"weights"):
        (tmp_path / broken).write_bytes(content)
        with pytest.raises(InvalidInput, match="LPIPS"):
            Lpips.of(tmp_path)
    torch.save({"other": torch.zeros(1)}, tmp_path / broken)
    with pytest.raises(InvalidInput, match="LPIPS"):
        Lpips.of(tmp_path)
