"""Avatars are taught for real, on somebody whose every frame is known: whether it speaks, and what will not do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from contracts.errors import Cancelled, EngineFailed, InvalidInput
from contracts.platform import Figures
from deployments.avatar.bundle import Bundle
from deployments.avatar.drawing import draw
from deployments.avatar.march import rays_of
from deployments.avatar.renderer import Renderer
from deployments.avatar.sound import FPS, RATE_HZ, SAMPLES, windows
from tests.media import FILMED
from training.avatar.config import PRESETS, Stage, config_of
from training.avatar.exporting import save
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Footage
from training.avatar.judging import Verdict, check, judged
from training.avatar.known import of_take
from training.avatar.mouth import correlation, loudness, openings
from training.avatar.preparation.decoding import sound_of
from training.avatar.preparation.landmarks import Face, finder
from training.avatar.preparation.pose import adjusted
from training.avatar.preparation.preflight import Look, Report, preflight
from training.avatar.preparation.prepare import best_part, prepared
from training.avatar.synthetic import Take, shoot, write_film
from training.avatar.synthetic.film import Scene

LEARNT = 80  # pixels a side
STEPS = 1000
pytest_plugins = ["tests.filmed"]
pytestmark = pytest.mark.timeout(400)
Find = Callable[[Any], list[Face]]


class Kept(dict[int, dict[str, Any]]):
    """Checkpoints in memory."""

    def save(self, step: int, state: dict[str, Any]) -> None:
        self[step] = {"step": step} | _copied(state)

    def newest(self) -> dict[str, Any] | None:
        return self[max(self)] if self else None


def _copied(state: Any) -> Any:
    if isinstance(state, dict):
        return {name: _copied(each) for name, each in state.items()}
    return state.clone() if isinstance(state, torch.Tensor) else state


@pytest.fixture(scope="module")
def footage(take: Take) -> Footage:
    """At the size that is learnt."""
    camera = take.camera * np.float32(LEARNT / FILMED)
    return of_take(replace(take, frames=_sized(take.frames, LEARNT), behind=_sized(take.behind, LEARNT), camera=camera))


def _sized(pictures: Any, side: int) -> Any:
    return np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in pictures])


@pytest.fixture(scope="module")
def told() -> list[Figures]:
    return []


@pytest.fixture(scope="module")
def taught(footage: Footage, told: list[Figures]) -> AvatarTraining:
    config = config_of("ER-NeRF", parameters={"steps": STEPS}, small=True)
    training = AvatarTraining(config, footage, lambda _: Kept(), told.append)
    training.run()
    return training


@pytest.fixture(scope="module")
def verdict(taught: AvatarTraining) -> Verdict:
    return judged(taught)


def test_what_it_has_not_learnt_looks_right_and_its_mouth_follows_the_voice_alone(verdict: Verdict) -> None:
    assert verdict.psnr >= 22, verdict
    assert verdict.voice >= 0.6 and verdict.recorded >= 0.6, verdict
    assert abs(verdict.shuffled) < 0.25, verdict
    check(verdict)


def test_it_tells_how_far_it_is(taught: AvatarTraining, told: list[Figures]) -> None:
    assert [figures.current_step for figures in told] == list(range(1, STEPS + 1))
    assert told[0].loss > 2 * told[-1].loss and told[-1].current_epoch == told[-1].total_epochs == 100
    assert told[-1].metrics["psnr"] > 20 and told[9].metrics["eta_s"] > 0


def test_its_bundle_says_what_it_has_never_heard(
    taught: AvatarTraining, verdict: Verdict, take: Take, tmp_path: Path
) -> None:
    save(taught, verdict, tmp_path, "CC0-1.0", "她同意")
    bundle = Bundle.load(tmp_path)
    assert bundle.manifest.consent == "她同意" and bundle.manifest.metrics["voice"] == pytest.approx(
        verdict.voice, abs=1e-3
    )
    sound = np.concatenate([take.sound[SAMPLES * 60 :: -1], np.zeros(SAMPLES * 20, np.float32)])
    heard = windows(sound)
    shown = Renderer(bundle).render(heard, 0)
    boxes = taught.footage.mouth[[Renderer(bundle).pose(number) for number in range(len(shown))]]
    mouths = [each[top:bottom, left:right] for each, (left, top, right, bottom) in zip(shown, boxes, strict=True)]
    assert correlation(openings(mouths), loudness(heard)) > 0.5  # even of speech that is played backwards


def test_lips_that_barely_move_are_not_published(verdict: Verdict) -> None:
    assert verdict.amplitude > 0.6, verdict
    with pytest.raises(EngineFailed, match="20%"):
        check(verdict._replace(amplitude=0.2))


def test_one_that_has_learnt_nothing_is_not_published(footage: Footage) -> None:
    training = AvatarTraining(config_of("ER-NeRF", parameters={"steps": 2}, small=True), footage, lambda _: Kept())
    training.run()
    with pytest.raises(EngineFailed, match="口型没有跟随声音"):
        check(judged(training))


@pytest.mark.parametrize("preset", ["er_nerf", "synctalk"])
def test_the_papers_presets_find_the_head_and_not_a_picture_before_it(footage: Footage, preset: str) -> None:
    """They compute few places of a ray, and learn slowly: what is nearest must not hide all else."""
    config = config_of(PRESETS[preset].model, parameters={"preset": preset, "rays": 256, "frames": 4})
    coarse = config.shape.model_copy(update={"grid": 32})
    config = config.model_copy(update={"shape": coarse, "stages": (Stage(steps=120),)})
    training = AvatarTraining(config, footage, lambda _: Kept())
    training.run()
    truth = training.chooser.all_of(60, torch.from_numpy(footage.mouth[60]))
    frames = training.field.frames(training.heard[truth.rows], training.expression[truth.rows])
    rays = rays_of(training.poses[truth.rows], training.camera, truth.pixels)
    with torch.no_grad():
        made = draw(training.field, rays, frames)
    depth = (made.looked.weights * made.samples.points[:, 2]).sum() / made.looked.weights.sum()
    assert -0.75 < float(depth) < -0.2


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Several add up in an order of their own, and so round otherwise each time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("model", ["ER-NeRF", "SyncTalk"])
def test_a_training_goes_on_as_if_it_had_not_been_stopped(footage: Footage, model: Any) -> None:
    config = config_of(model, parameters={"steps": 24, "save_steps": 7}, small=True)
    whole = AvatarTraining(config, footage, lambda _: Kept())
    whole.run()
    kept, asked = Kept(), iter([False] * 10 + [True])
    with pytest.raises(Cancelled):
        AvatarTraining(config, footage, lambda _: kept, should_stop=lambda: next(asked)).run()
    assert max(kept) == 10
    resumed = AvatarTraining(config, footage, lambda _: kept)
    resumed.run()
    assert resumed.step == 24 and resumed.loss == pytest.approx(whole.loss, rel=1e-5)
    for one, other in zip(whole.field.state_dict().values(), resumed.field.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_presets_differ_by_numbers_alone() -> None:
    assert config_of("SyncTalk").preset == "synctalk" and config_of("SyncTalk").steps == 100_000
    assert config_of("ER-NeRF", epochs=10, small=True).steps == PRESETS["er_nerf_small"].steps / 10
    asked = {"preset": "er_nerf", "lr": 0.005, "iters": 100, "licence": "CC0-1.0"}
    config = config_of("ER-NeRF", parameters=asked, small=True)
    assert (config.preset, config.plane_rate, config.steps) == ("er_nerf", 0.005, 100)
    assert [stage.patch for stage in config.stages] == [0, 32]
    assert config.part_s == 60 and config_of("ER-NeRF", parameters={"size": 1024, "longest_s": 300}).part_s == 30


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"preset": "synctalk"}, "synctalk"),
        ({"colour": 1}, "colour"),
        ({"lr": 0}, "plane_rate"),
        ({"lr": "fast"}, "plane_rate"),
        ({"steps": "many"}, "steps"),
        ({"steps": float("inf")}, "steps"),
        ({"size": 16}, "size"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named) as refused:
        config_of("ER-NeRF", parameters=wrong)
    assert refused.value.param == "custom_params"


@pytest.mark.parametrize("preset", PRESETS)
def test_any_number_of_epochs_that_the_documents_allow_can_be_trained(preset: str) -> None:
    config = config_of(PRESETS[preset].model, 1_000_000, {"preset": preset})
    assert max(stage.steps for stage in config.stages) == 1_000_000


@pytest.fixture(scope="module")
def find() -> Find:
    return finder("cpu")


@pytest.fixture
def film(take: Take, tmp_path: Path) -> Callable[..., Path]:
    """A film of the first seconds, changed."""

    def made(seconds: float = 4.4, fps: Fraction = Fraction(25), **changes: Any) -> Path:
        count = round(seconds * 25)
        short = replace(take, frames=take.frames[:count], sound=take.sound[: count * SAMPLES])
        path = tmp_path / "film.mp4"
        write_film(replace(short, **{name: change(short) for name, change in changes.items()}), path, fps)
        return path

    return made


@pytest.mark.parametrize("model", ["SyncTalk", "ER-NeRF"])
def test_a_film_is_made_ready(film: Callable[..., Path], take: Take, find: Find, tmp_path: Path, model: Any) -> None:
    config = config_of(model, small=True).model_copy(update={"size": FILMED})
    path = film(fps=Fraction(30))
    footage, report = prepared(path, config, find, tmp_path / "cache")
    assert report.problems == () and report.fps == pytest.approx(30, abs=0.5)
    assert 108 <= len(footage.frames) <= 110 and len(footage.windows) == len(footage.poses) == len(footage.frames)
    drift = _nose(footage) - _nose(of_take(take))[: len(footage.frames)]
    assert np.abs(drift - drift.mean(axis=0)).mean() < 2.0  # pixels, beside where the head is known to be
    assert correlation(openings(_mouths(footage)), take.motion.opening[: len(footage.frames)]) > 0.6
    again, _ = prepared(path, config, _never, tmp_path / "cache")
    assert again.sha256 == footage.sha256


def _nose(footage: Footage) -> np.ndarray:
    return (footage.head[:, :2] + footage.head[:, 2:]) / 2


def _mouths(footage: Footage) -> list[Any]:
    asked = zip(footage.frames, footage.mouth, strict=True)
    return [each[top:bottom, left:right] for each, (left, top, right, bottom) in asked]


def _never(_: Any) -> list[Face]:
    raise AssertionError("it was made ready before")


def _tiled(take: Take) -> Any:
    return np.concatenate([take.frames, take.frames[:, :, ::-1]], axis=2)


def _small(take: Take) -> Any:
    frames = np.repeat(np.repeat(take.frames[:, :1, :1], FILMED, axis=1), FILMED, axis=2).copy()
    frames[:, 20:84, 20:84] = np.stack(
        [cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA) for each in take.frames]
    )
    return frames


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seconds": 2.0}, "时长只有 2.0 秒"),
        ({"fps": Fraction(12)}, "帧率只有每秒 12 帧"),
        ({"frames": lambda take: take.behind[: len(take.frames)]}, "没有找到人脸"),
        ({"frames": _tiled}, "不止一张人脸"),
        ({"frames": _small}, "人脸高度只有"),
        ({"sound": lambda take: np.zeros_like(take.sound)}, "没有声音"),
        ({"sound": lambda take: (take.sound * 30).clip(-1, 1)}, "过载失真"),
        ({"sound": lambda take: take.sound * np.float32(0.025)}, "声音太小"),
    ],
)
def test_a_film_that_will_not_do_is_refused_with_reasons(
    film: Callable[..., Path], find: Find, change: dict[str, Any], told: str
) -> None:
    report: Report = preflight(film(**change), find, most=10)[0]
    assert any(told in problem for problem in report.problems), report


def _chords(take: Take) -> Any:
    time = np.arange(len(take.sound)) / 16_000
    swell = 0.1 + 0.03 * np.sin(2 * np.pi * 0.9 * time)
    return (swell * sum(np.sin(2 * np.pi * hz * time) for hz in (220, 277, 330))).astype(np.float32)


def test_music_in_place_of_speech_is_refused(film: Callable[..., Path], find: Find, tmp_path: Path) -> None:
    config = config_of("ER-NeRF", small=True).model_copy(update={"size": FILMED})
    with pytest.raises(InvalidInput, match="声音与口型对不上"):
        prepared(film(sound=_chords), config, find, tmp_path / "cache")


def test_where_nothing_can_be_followed_a_head_moves_as_it_did() -> None:
    """Its forehead is behind a hand, say: the movement that its five points show is kept."""
    take = shoot(Scene(side=96, seconds=6, sway=1.5))
    frames = take.frames.copy()
    frames[60:] = 128
    moved = adjusted(frames, take.poses, take.camera)[60:, :, :3] - take.poses[60:, :, :3]
    assert np.abs(moved - moved.mean(axis=0)).max() < 0.2 * np.ptp(take.poses[60:, :, :3], axis=0).max()


def test_sound_that_begins_later_is_heard_later(take: Take, tmp_path: Path) -> None:
    write_film(take, tmp_path / "film.mp4")
    write_film(take, tmp_path / "late.mp4", late_s=0.5)
    heard, late = sound_of(tmp_path / "film.mp4"), sound_of(tmp_path / "late.mp4")
    assert np.abs(late[:6_000]).max() == 0
    assert correlation(heard[: 3 * RATE_HZ], late[8_000 : 8_000 + 3 * RATE_HZ]) > 0.99


def test_a_part_begins_where_a_frame_does() -> None:
    looks = [Look(each / 2, [Face((0, 0, 9, 9), np.zeros((5, 2), np.float32))], float(each > 16)) for each in range(60)]
    assert best_part(looks, np.zeros(30 * RATE_HZ, np.float32), 30.0, 20.0) * FPS % 1 == 0
