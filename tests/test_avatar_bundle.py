"""Avatars as folders, and on their stage: nothing here is trained."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from contracts.errors import InvalidInput, NotFound, ServiceError
from deployments.avatar.bundle import Bundle, Manifest, Track, feather, read_manifest
from deployments.avatar.field import HeadField
from deployments.avatar.nerf import Nerf
from deployments.avatar.planes import AXES, Hashed
from deployments.avatar.renderer import Renderer
from deployments.avatar.shape import FieldShape
from deployments.avatar.sound import windows

SHAPE = FieldShape(levels=3, coarsest=8, finest=32, hidden=16, geometry=8, audio=8, grid=16, candidates=16, samples=6)
FRAMES, HEIGHT, WIDTH = 6, 64, 80


def bundle(**changes: object) -> Bundle:
    """A head that nobody taught anything, before a moving ramp."""
    torch.manual_seed(3)
    ramp = np.arange(WIDTH, dtype=np.uint8)[None, None, :, None]
    pictures = np.broadcast_to(
        ramp + np.arange(FRAMES, dtype=np.uint8)[:, None, None, None], (FRAMES, HEIGHT, WIDTH, 3)
    )
    poses = torch.eye(3, 4).repeat(FRAMES, 1, 1)
    poses[:, 2, 3] = 4.0
    poses[:, 0, 3] = torch.linspace(-0.2, 0.2, FRAMES)
    corners = torch.tensor([[20 + number, 10] for number in range(FRAMES)])
    mask = torch.from_numpy(feather(40, 32))
    track = Track(torch.tensor([80.0, 40, 32]), poses, torch.zeros(FRAMES, 1), corners, mask)
    said = {"model": "ER-NeRF", "preset": "er_nerf_small", "width": WIDTH, "height": HEIGHT, "frames": FRAMES}
    manifest = Manifest.model_validate(said | {"shape": SHAPE, "licence": "CC0-1.0"} | changes)
    return Bundle(manifest, HeadField(SHAPE), track, np.ascontiguousarray(pictures), np.ascontiguousarray(pictures))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("avatar")
    bundle().save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    for each in saved.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    return tmp_path


def speech(seconds: float) -> np.ndarray:
    generator = np.random.default_rng(5)
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(time * 900 * np.sin(time * 5)) + 0.02 * generator.standard_normal(time.size)).astype(
        np.float32
    )


def test_a_bundle_is_what_was_saved(saved: Path) -> None:
    made, loaded = bundle(), Bundle.load(saved)
    heard = windows(speech(0.4))
    before, after = Renderer(made).render(heard, 0), Renderer(loaded).render(heard, 0)
    assert np.abs(before.astype(int) - after.astype(int)).max() <= 8  # half precision, and a film that loses a little
    assert loaded.manifest.model_copy(update={"files": {}}) == made.manifest.model_copy(
        update={"made": loaded.manifest.made}
    )


def test_only_the_box_is_drawn(saved: Path) -> None:
    loaded = Bundle.load(saved)
    shown = Renderer(loaded).render(windows(speech(1.0)), 0)
    assert shown.shape == (25, HEIGHT, WIDTH, 3)
    assert (shown[:, :10] == loaded.frames[[Renderer(loaded).pose(number) for number in range(25)]][:, :10]).all()
    assert (shown[0] != loaded.frames[0]).any()


def test_poses_go_forward_and_back_without_a_jump(saved: Path) -> None:
    renderer = Renderer(Bundle.load(saved))
    played = [renderer.pose(number) for number in range(13)]
    assert played == [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0, 1, 2]


def test_hashed_planes_are_drawn_too() -> None:
    made = bundle()
    hashed = SHAPE.model_copy(update={"planes": "hash", "table_bits": 8})
    made.field = HeadField(hashed)
    assert Renderer(made).render(windows(speech(0.1)), 0).shape == (3, HEIGHT, WIDTH, 3)
    pixels = sum(parameter.numel() for parameter in made.field.planes.parameters())
    assert pixels == 3 * 3 * 256


def test_a_level_that_fits_its_table_is_read_between_its_cells() -> None:
    """As any picture is; nothing is hashed there."""
    shape = FieldShape(planes="hash", levels=1, coarsest=8, finest=8, features=2, table_bits=8)
    planes = Hashed(shape)
    grid = planes.table.detach().view(3, 256, 2)[:, :64].view(3, 8, 8, 2).permute(0, 3, 1, 2)
    points = torch.rand(50, 3) * 1.98 - 0.99
    where = torch.stack([points[:, axes] for axes in AXES])[:, None]
    expected = grid_sample(grid, where, align_corners=True)[:, :, 0].permute(2, 0, 1).flatten(1)
    assert torch.allclose(planes(points), expected, atol=1e-8)


def test_compiled_networks_draw_the_same(saved: Path) -> None:
    eager, compiled = Nerf("cpu").open(saved), Nerf("cpu", compile="aot_eager").open(saved)
    heard = eager.hear(speech(0.2), 0, 0)
    drawn = [each.render(heard, range(5)).astype(int) for each in (eager, compiled)]
    assert np.abs(drawn[0] - drawn[1]).max() <= 1


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("manifest.json", b"{", "清单"),
        ("manifest.json", b'{"format": "torch"}', "不是本系统"),
        ("weights.safetensors", b"PK", "校验和"),
        ("frames.mp4", b"", "校验和"),
        ("track.safetensors", None, "缺少"),
    ],
)
def test_a_foreign_or_damaged_bundle_is_refused(copy: Path, name: str, content: bytes | None, error: str) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=error):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "change",
    [{"frames": 5}, {"frames": 7}, {"width": 78}, {"shape": {"hidden": 32}}, {"version": 2}, {"frames": 10**9}],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, change: dict[str, object]) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(ServiceError) as refused:
        Bundle.load(copy)
    assert refused.value.code == "invalid_input" and refused.value.param == "model_param"


def test_no_bundle_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_manifest(tmp_path / "nothing")
