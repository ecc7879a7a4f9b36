"""Films as players see them: decoded again, frame by frame and sample by sample."""

import wave
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contracts.errors import EngineFailed
from contracts.video import Caption, FilmRequest, Shot
from deployments.registry import build
from deployments.video.film.frames import MARK_S, spans
from deployments.video.film.lettering import caption, drawable, mark
from deployments.video.film.wrapping import NOT_FIRST, shortened, units, wrapped

WIDTH, HEIGHT, FPS = 320, 180, 25
RATE = 22_050
SMALL = {"width": WIDTH, "height": HEIGHT, "fps": FPS}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Plain pictures, a detailed one, and two sounds of known length."""
    made = {name: tmp_path / f"{name}.png" for name in ("grey", "dark", "light", "detail")}
    for name, level in (("grey", 120), ("dark", 60), ("light", 180)):
        Image.new("RGB", (400, 300), (level,) * 3).save(made[name])
    noise = np.random.default_rng(0).integers(0, 255, (18, 32, 3), np.uint8)
    Image.fromarray(noise).resize((640, 360), Image.Resampling.BICUBIC).save(made["detail"])
    made["low"] = tone(tmp_path / "low.wav", 1.01, 300)
    made["high"] = tone(tmp_path / "high.wav", 0.737, 900)
    return made


def tone(path: Path, seconds: float, hz: float, rate: int = RATE, channels: int = 1) -> Path:
    samples = (12_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).tobytes())
    return path


def film(request: FilmRequest, files: dict[str, Path], output: Path, preset: str = "ultrafast") -> list[float]:
    engine = build("video", "film", {"preset": preset, "crf": 12})
    engine.load()
    return [progress.fraction for progress in engine.render(request, files, output)]


def decoded(path: Path) -> np.ndarray:
    """(frames, rows, columns) of luma."""
    with av.open(path) as container:
        return np.stack([frame.to_ndarray()[: frame.height] for frame in container.decode(video=0)])


def heard(path: Path) -> tuple[np.ndarray, int]:
    with av.open(path) as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        return np.concatenate(blocks), container.streams.audio[0].rate


def shots(*pairs: tuple[str, float]) -> list[Shot]:
    return [Shot(picture=picture, duration_s=seconds) for picture, seconds in pairs]


def test_a_film_is_what_web_players_take(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "film.mp4"
    request = FilmRequest(shots=shots(("grey", 1.01), ("detail", 0.737)), narration=["low", "high"], **SMALL)
    progress = film(request, files, output, preset="veryfast")
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert len(progress) >= 4
    content = output.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    with av.open(output) as container:
        video, audio = container.streams
        context = video.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.width, context.height, video.average_rate) == (WIDTH, HEIGHT, FPS)
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert (audio.codec_context.name, audio.rate) == ("aac", 44_100)
        assert video.frames == round(1.747 * FPS)
        assert video.start_time == audio.start_time == 0
        assert float(audio.duration * audio.time_base) == pytest.approx(1.747, abs=0.001)


def test_the_narration_is_joined_to_the_sample(files: dict[str, Path], tmp_path: Path) -> None:
    keys = ["low", "high"] * 4
    request = FilmRequest(shots=shots(*[("grey", 0.873)] * 8), narration=keys, **SMALL)
    film(request, files, tmp_path / "film.mp4")
    samples, rate = heard(tmp_path / "film.mp4")
    clean = []
    for key in keys:
        with wave.open(str(files[key])) as file:
            clean.append(np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_768)
    joined = np.repeat(np.concatenate(clean), 2)  # 22,050 to 44,100 Hz
    kept = samples[: joined.size]
    assert abs(samples.size - joined.size) < 1024 + rate // 100
    assert np.corrcoef(kept, joined)[0, 1] > 0.98


def test_sounds_of_other_rates_and_channels_join_too(files: dict[str, Path], tmp_path: Path) -> None:
    files["wide"] = tone(tmp_path / "wide.wav", 0.5, 500, 48_000, 2)
    files["phone"] = tone(tmp_path / "phone.wav", 0.5, 500, 8_000)
    request = FilmRequest(shots=shots(("grey", 2)), narration=["wide", "phone", "low"], **SMALL)
    film(request, files, tmp_path / "film.mp4")
    with av.open(tmp_path / "film.mp4") as container:
        audio = container.streams.audio[0]
        assert audio.rate == 48_000
        assert float(audio.duration * audio.time_base) == pytest.approx(2.01, abs=0.001)


def test_a_silent_film_has_no_sound_stream(files: dict[str, Path], tmp_path: Path) -> None:
    film(FilmRequest(shots=shots(("grey", 0.5)), **SMALL), files, tmp_path / "film.mp4")
    with av.open(tmp_path / "film.mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize(("width", "height", "fps"), [(128, 128, 10), (180, 320, 30), (242, 130, 12)])
def test_other_shapes_and_rates(width: int, height: int, fps: int, files: dict[str, Path], tmp_path: Path) -> None:
    words = [Caption(text="从前有一只兔子，它很喜欢唱歌", start_s=0, end_s=1)]
    request = FilmRequest(
        shots=shots(("detail", 1)), captions=words, mark="AI生成", width=width, height=height, fps=fps
    )
    film(request, files, tmp_path / "film.mp4")
    assert decoded(tmp_path / "film.mp4").shape == (fps, height, width)


@given(st.lists(st.floats(0.001, 20), min_size=1, max_size=30), st.sampled_from([1, 10, 25, 60]))
def test_boundaries_do_not_drift(durations: list[float], fps: int) -> None:
    request = FilmRequest(shots=shots(*[("p", seconds) for seconds in durations]), fps=fps)
    found = spans(request)
    ends = [round(end * fps) for end in accumulate(durations)]
    assert found[0].start == 0
    assert found[-1].end == max(1, ends[-1])
    assert all(one.end == two.start for one, two in pairwise(found))
    assert all(span.start < span.end and 0 <= span.fade <= (span.end - span.start) / 2 for span in found)
    assert {span.end for span in found} <= {*ends, 1}


def test_a_cross_fade_goes_from_one_picture_to_the_next(files: dict[str, Path], tmp_path: Path) -> None:
    film(FilmRequest(shots=shots(("dark", 2), ("light", 2)), **SMALL), files, tmp_path / "film.mp4")
    level = decoded(tmp_path / "film.mp4").mean(axis=(1, 2))
    dark, light = level[40], level[75]
    assert dark + 60 < light
    assert np.all(np.diff(level[48:68]) > -0.5)
    assert level[49] == pytest.approx(dark, abs=1)
    assert level[57] == pytest.approx((dark + light) / 2, abs=8)
    assert level[66] == pytest.approx(light, abs=1)
    for end in (level[0], level[-1]):
        assert end < dark * 0.6


def test_the_camera_moves_smoothly_and_goes_on_through_the_cross_fade(files: dict[str, Path], tmp_path: Path) -> None:
    film(FilmRequest(shots=shots(("detail", 2), ("detail", 2)), **SMALL), files, tmp_path / "film.mp4")
    luma = decoded(tmp_path / "film.mp4").astype(float)
    steps = np.abs(np.diff(luma[10:90], axis=0)).mean(axis=(1, 2))
    assert steps.min() > 0.05
    assert steps.max() < 12
    assert np.abs(luma[10] - luma[45]).mean() > 3


def test_shots_move_in_different_ways(files: dict[str, Path], tmp_path: Path) -> None:
    film(FilmRequest(shots=shots(("detail", 1), ("detail", 1)), **SMALL), files, tmp_path / "film.mp4")
    luma = decoded(tmp_path / "film.mp4").astype(float)
    assert np.abs(luma[16] - luma[41]).mean() > 2


def test_a_caption_is_seen_in_its_time_only(files: dict[str, Path], tmp_path: Path) -> None:
    words = [
        Caption(text="你好，世界", start_s=0.6, end_s=1.2),
        Caption(text="😀🎉", start_s=1.2, end_s=1.6),
        Caption(text="Hello", start_s=1.6, end_s=2.0),
    ]
    film(FilmRequest(shots=shots(("grey", 2.6)), captions=words, **SMALL), files, tmp_path / "film.mp4")
    luma = decoded(tmp_path / "film.mp4")
    seen = (luma[:, 130:, 60:260] > 200).any(axis=(1, 2))
    assert [number for number in range(len(luma)) if seen[number]] == [*range(15, 30), *range(40, 50)]
    assert (luma[20, 130:] < 60).any()
    assert np.ptp(luma[20, :120]) < 6


def test_the_mark_is_seen_at_first_only(files: dict[str, Path], tmp_path: Path) -> None:
    film(FilmRequest(shots=shots(("grey", 3.5)), mark="AI生成", **SMALL), files, tmp_path / "film.mp4")
    corner = decoded(tmp_path / "film.mp4")[:, :60, 160:]
    seen = (corner > 200).any(axis=(1, 2))
    last = round(MARK_S * FPS)
    assert seen[:last].all()
    assert not seen[last + 1 :].any()
    rows = np.flatnonzero((corner[30] > 200).any(axis=1))
    assert rows[-1] - rows[0] >= 0.05 * HEIGHT


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (128, 128), (1920, 1080)])
def test_the_marks_letters_are_as_high_as_the_standard_asks(width: int, height: int) -> None:
    for text in ("A", "生", "I"):
        letters = mark(text, width, height)
        assert letters
        rows = np.flatnonzero((letters.add.y > 100).any(axis=1))
        assert rows[-1] - rows[0] + 1 >= 0.05 * min(width, height)
        assert letters.left + letters.add.y.shape[1] <= width


def test_characters_without_a_glyph_are_left_out() -> None:
    assert drawable("你好😀，\u200bAI\n生成 \U0002a6d6") == "你好，AI 生成"
    assert caption("😀 \U0010fffd", WIDTH, HEIGHT) is None
    assert caption(" \n", WIDTH, HEIGHT) is None
    assert drawable("龍飛鳳舞 鑫喆 ¡Olé! 々①") == "龍飛鳳舞 鑫喆 ¡Olé! 々①"


@pytest.mark.parametrize(
    "text", ["山" * 500, "word " * 300, "a" * 600, "，" * 100, "“" * 80, "好" * 41 + "。", "W" * 80]
)
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (128, 128), (1920, 128)])
def test_captions_stay_within_the_picture(text: str, width: int, height: int) -> None:
    letters = caption(text, width, height)
    assert letters
    rows, columns = letters.keep.y.shape
    assert letters.left >= 0
    assert letters.top >= 0
    assert letters.left + columns <= width
    assert letters.top + rows <= height


def test_lines_break_where_readers_expect() -> None:
    assert wrapped("你好，世界", 10, len) == ["你好，世界"]
    assert wrapped("今天天气很好，我们去公园玩吧。", 10, len) == ["今天天气很好，", "我们去公园玩吧。"]
    assert wrapped("the quick brown fox jumps", 15, len) == ["the quick", "brown fox jumps"]
    assert wrapped("我喜欢Python编程语言", 9, len) == ["我喜欢Python", "编程语言"]
    assert wrapped("a" * 30, 20, len) is None
    assert shortened("山" * 100, 10, len) == ["山" * 10, "山" * 9 + "…"]


@given(st.text("山好ab ，。、“”!?（）…—", max_size=60), st.integers(4, 40))
def test_no_line_begins_with_a_mark_that_may_not(text: str, width: int) -> None:
    assert "".join(units(text)) == text
    lines = wrapped(text, width, len)
    if lines and len(lines) == 2:
        assert all(len(line) <= width for line in lines)
        assert lines[1][:1] not in NOT_FIRST or not lines[1]
        assert "".join("".join(lines).split()) == "".join(text.split())


def alpha(path: Path) -> None:
    Image.new("RGBA", (50, 500), (0, 0, 0, 0)).save(path)


def deep(path: Path) -> None:
    Image.fromarray(np.full((40, 60), 60_000, np.uint16)).save(path)


def palette(path: Path) -> None:
    Image.new("P", (60, 40), 0).save(path)


def turned(path: Path) -> None:
    picture = Image.new("RGB", (40, 60), "white")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(path, "JPEG", exif=exif)


def dot(path: Path) -> None:
    Image.new("L", (1, 1), 200).save(path)


@pytest.mark.parametrize("write", [alpha, deep, palette, turned, dot])
def test_pictures_of_all_kinds(write: Callable[[Path], None], files: dict[str, Path], tmp_path: Path) -> None:
    write(tmp_path / "odd.png")
    files["odd"] = tmp_path / "odd.png"
    film(FilmRequest(shots=shots(("odd", 0.4)), **SMALL), files, tmp_path / "film.mp4")
    middle = decoded(tmp_path / "film.mp4")[5]
    assert np.ptp(middle) < 8
    assert middle.mean() > 150 or write is palette


def test_colours_are_kept(files: dict[str, Path], tmp_path: Path) -> None:
    for name, colour in (("red", (200, 40, 30)), ("blue", (30, 60, 190))):
        files[name] = tmp_path / f"{name}.png"
        Image.new("RGB", (64, 36), colour).save(files[name])
        film(FilmRequest(shots=shots((name, 0.4)), **SMALL), files, tmp_path / "film.mp4")
        with av.open(tmp_path / "film.mp4") as container:
            frame = list(container.decode(video=0))[5].to_ndarray(format="rgb24")
        assert np.abs(frame.mean(axis=(0, 1)) - colour).max() < 6


@pytest.mark.parametrize("key", ["text", "cut", "missing", "sound", "empty", "silent"])
def test_a_broken_input_is_named(key: str, files: dict[str, Path], tmp_path: Path) -> None:
    broken = {
        "text": b"<html>",
        "cut": files["detail"].read_bytes()[:2000],
        "missing": None,
        "sound": b"RIFF....WAVEfmt ",
        "empty": b"",
        "silent": files["grey"].read_bytes(),
    }
    files[key] = tmp_path / "broken"
    if (content := broken[key]) is not None:
        files[key].write_bytes(content)
    heard_key = key in ("sound", "empty", "silent")
    request = FilmRequest(
        shots=shots(("grey", 0.5), ("grey" if heard_key else key, 0.5)),
        narration=["low", key] if heard_key else [],
        **SMALL,
    )
    before = set(tmp_path.iterdir())
    with pytest.raises(EngineFailed, match=key):
        film(request, files, tmp_path / "film.mp4")
    assert set(tmp_path.iterdir()) == before


def test_closing_midway_leaves_no_file(files: dict[str, Path], tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    engine = build("video", "film", {})
    engine.load()
    request = FilmRequest(shots=shots(("detail", 30)), narration=["low"], **SMALL)
    stream = engine.render(request, files, tmp_path / "film.mp4")
    assert 0 < next(stream).fraction < 0.1
    stream.close()
    engine.close()
    assert set(tmp_path.iterdir()) == before


def test_the_same_film_is_the_same_file(files: dict[str, Path], tmp_path: Path) -> None:
    request = FilmRequest(shots=shots(("detail", 0.8)), narration=["high"], mark="AI生成", **SMALL)
    for name in ("one.mp4", "two.mp4"):
        film(request, files, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_opencv_keeps_its_own_threads(files: dict[str, Path], tmp_path: Path) -> None:
    before = cv2.getNumThreads()
    film(FilmRequest(shots=shots(("grey", 0.2)), **SMALL), files, tmp_path / "film.mp4")
    assert cv2.getNumThreads() == before
