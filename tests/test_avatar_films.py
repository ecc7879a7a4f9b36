"""Films as people bring them: turned phones, rates that vary, four thousand pixels, a face from the side."""

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from deployments.avatar.sound import SAMPLES
from tests.media import FILMED
from training.avatar.config import config_of
from training.avatar.mouth import correlation, openings
from training.avatar.preparation.decoding import film_of, frames_of, sound_of
from training.avatar.preparation.landmarks import Face, finder, tracked
from training.avatar.preparation.preflight import preflight
from training.avatar.preparation.prepare import prepared
from training.avatar.preparation.remarks import remarks
from training.avatar.synthetic import Take, shoot, write_film
from training.avatar.synthetic.film import Scene

FRAMES = 110
ULTRA = (3840, 2160)
pytest_plugins = ["tests.filmed"]
pytestmark = pytest.mark.timeout(300)
Find = Callable[[Any], list[Face]]


@pytest.fixture(scope="module")
def find() -> Find:
    return finder("cpu")


@pytest.fixture
def short(take: Take) -> Take:
    return replace(take, frames=take.frames[:FRAMES], sound=take.sound[: FRAMES * SAMPLES])


def turned(take: Take, path: Path, degrees: int) -> None:
    """As a phone that is held so writes it: frames as the sensor sees them, and how they are to be shown."""
    write_film(replace(take, frames=np.rot90(take.frames, degrees // 90, axes=(1, 2)).copy()), path)
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd") + 4  # the picture's comes first; of version 0: its matrix lies 40 bytes on
    sine, cosine = {90: (1, 0), 180: (0, -1), 270: (-1, 0)}[degrees]
    matrix = (cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", content, header + 40, *matrix)
    path.write_bytes(content)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_phone_films_an_upright_face(short: Take, find: Find, tmp_path: Path, degrees: int) -> None:
    path = tmp_path / "phone.mp4"
    turned(short, path, degrees)
    [(_, first)] = frames_of(path, 0.0, 1)
    assert np.abs(first.astype(int) - short.frames[0]).mean() < 4
    report = preflight(path, find, most=6)[0]
    assert report.problems == () and report.face_coverage == 1
    assert report.rotation in (degrees, 360 - degrees) and f"旋转了 {report.rotation} 度" in remarks(report)[0]


def test_a_wide_film_that_was_turned_is_tall(short: Take, tmp_path: Path) -> None:
    path = tmp_path / "tall.mp4"
    tall = short.frames[:30, :, 16:-16]
    turned(replace(short, frames=tall), path, 90)
    film = film_of(path)
    assert (film.width, film.height) == (FILMED - 32, FILMED)


def wavering(take: Take, path: Path) -> list[int]:
    """A phone's film whose rate sinks from 30 to 20 and rises again; the take's frames that it shows."""
    clock, step = Fraction(0), 0
    shown: list[int] = []
    with av.open(path, "w", format="mp4") as container:
        video: Any = container.add_stream("libx264", rate=30, options={"crf": "18", "preset": "veryfast"})
        video.height, video.width, video.pix_fmt = FILMED, FILMED, "yuv420p"
        video.codec_context.time_base = Fraction(1, 600)
        audio: Any = container.add_stream("aac", rate=16_000, layout="mono")
        while (at := round(clock * 25)) < len(take.frames):
            frame = av.VideoFrame.from_ndarray(take.frames[at], "rgb24")
            frame.pts, frame.time_base = int(clock * 600), Fraction(1, 600)
            container.mux(video.encode(frame))
            shown.append(at)
            clock, step = clock + Fraction(1, 30 if step // 40 % 2 == 0 else 20), step + 1
        container.mux(video.encode(None))
        piece = av.AudioFrame.from_ndarray(take.sound[None], format="fltp", layout="mono")
        piece.sample_rate, piece.pts = 16_000, 0
        container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    return shown


def test_a_rate_that_varies_keeps_lips_and_voice_together(short: Take, find: Find, tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    assert len(set(np.diff(wavering(short, path)))) > 1
    footage, report = prepared(
        path, config_of("ER-NeRF", small=True).model_copy(update={"size": FILMED}), find, tmp_path / "cache"
    )
    assert report.problems == () and 20 < report.fps < 30
    told = remarks(report)
    assert "帧率不固定" in told[0] and not [each for each in told if "旋转" in each or "分辨率" in each]
    count = len(footage.frames)
    assert abs(count - len(short.frames)) <= 2
    mouths = [
        each[top:bottom, left:right]
        for each, (left, top, right, bottom) in zip(footage.frames, footage.mouth, strict=True)
    ]
    shifts = {
        shift: correlation(openings(mouths)[3:-3], short.motion.opening[3 + shift : count - 3 + shift])
        for shift in range(-2, 3)
    }
    assert max(shifts, key=lambda shift: shifts[shift]) in (-1, 0, 1) and shifts[0] > 0.6, shifts


def test_four_thousand_pixels_are_looked_at_as_a_few_hundred(short: Take, find: Find, tmp_path: Path) -> None:
    path = tmp_path / "ultra.mp4"
    width, height = ULTRA
    wide = np.full((height, width, 3), short.frames[0, 0, 0], np.uint8)
    with av.open(path, "w", format="mp4") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "30"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio: Any = container.add_stream("aac", rate=16_000, layout="mono")
        for number, each in enumerate(short.frames[:104]):
            face = cv2.resize(each, (height, height), interpolation=cv2.INTER_LINEAR)
            wide[:, (width - height) // 2 : (width + height) // 2] = face
            frame = av.VideoFrame.from_ndarray(wide, "rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        piece = av.AudioFrame.from_ndarray(short.sound[None, : 104 * SAMPLES], format="fltp", layout="mono")
        piece.sample_rate, piece.pts = 16_000, 0
        container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    report = preflight(path, find, most=6)[0]
    assert report.problems == (), report
    assert (report.width, report.height) == ULTRA and report.face_height > 600
    assert not report.uneven and "分辨率 3840×2160" in remarks(report)[0]


def test_a_face_from_the_side_is_refused(short: Take, find: Find, tmp_path: Path) -> None:
    path = tmp_path / "side.mp4"
    profile = shoot(Scene(side=FILMED, seconds=0.4, facing=60)).frames
    write_film(replace(short, frames=np.tile(profile, (11, 1, 1, 1))), path)
    report = preflight(path, find, most=6)[0]
    assert any("几乎全是侧脸" in problem for problem in report.problems), report


def test_a_film_whose_sound_goes_on_is_as_long_as_its_pictures(short: Take, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(replace(short, sound=np.tile(short.sound, 2)), path)
    assert not film_of(path).uneven
    film = film_of(path)
    assert film.duration_s == pytest.approx(FRAMES / 25, abs=0.05) and film.fps == pytest.approx(25, abs=0.3)


def test_how_loud_a_film_is_and_where_its_face_is_makes_no_other_avatar(
    short: Take, find: Find, tmp_path: Path
) -> None:
    """The same film 20 dB softer, and as the left half of a wider one."""
    config = config_of("ER-NeRF", small=True).model_copy(update={"size": FILMED})
    beside = np.repeat(short.behind[:FRAMES, :, -1:], FILMED, axis=2)
    soft = replace(short, sound=short.sound / 10, frames=np.concatenate([short.frames, beside], axis=2))
    made = []
    for name, each in (("plain", short), ("soft", soft)):
        write_film(each, tmp_path / f"{name}.mp4")
        made.append(prepared(tmp_path / f"{name}.mp4", config, find, tmp_path)[0])
    plain, other = made
    voiced = plain.windows > 0
    assert np.abs(plain.windows - other.windows)[voiced].mean() < 0.1
    assert plain.camera[1] == pytest.approx(FILMED / 2, abs=2)
    assert other.camera[1] > plain.camera[1] + FILMED / 8  # the film's middle is beside what is cut out


def test_sound_that_is_no_number_is_silence(short: Take, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    sound = short.sound.copy()
    sound[5000], sound[6000], sound[7000] = np.nan, np.inf, 40
    with av.open(path, "w") as container:
        video: Any = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = FILMED, FILMED, "yuv420p"
        audio: Any = container.add_stream("pcm_f32le", rate=16_000, layout="mono")
        for each in short.frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(each, "rgb24")))
        container.mux(video.encode(None))
        piece = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
        piece.sample_rate = 16_000
        container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    heard = sound_of(path)
    assert len(heard) == len(sound) and np.isfinite(heard).all() and np.abs(heard).max() <= 1


def test_a_face_in_a_picture_on_the_wall_is_not_followed() -> None:
    """It is found alone while the person's is missed, and later beside it."""
    five = np.array([[-20, -10], [20, -10], [0, 0], [-15, 20], [15, 20]], np.float32)
    wall = Face((0, 0, 40, 40), five * np.float32(0.8) + 40)
    seen = iter(range(100))

    def find(_: Any) -> list[Face]:
        number = next(seen)
        person = Face((0, 0, 80, 80), five + np.array([160 + number / 10, 120], np.float32))
        return [wall] if 30 <= number < 34 else [person, wall]

    points = tracked(np.zeros((100, 4, 4, 3), np.uint8), find)
    expected = five + np.array([160, 120], np.float32) + np.arange(100)[:, None, None] / 10 * np.array([1, 0])
    assert np.abs(points - expected).max() < 1
