"""The visible mark is large enough, legible on anything, and touches nothing outside its corner."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contracts.errors import InvalidInput, UnsupportedMedia
from store import labels
from store.labels.mark import FONT
from tests.labelled import XMP

NOISE = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
BACKGROUNDS = {
    "white": np.full((300, 400, 3), 255, np.uint8),
    "black": np.zeros((300, 400, 3), np.uint8),
    "grey": np.full((300, 400, 3), 128, np.uint8),
    "noise": NOISE,
}


def encoded(pixels: np.ndarray, form: str = "PNG", mode: str = "RGB", **asked: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, form, **asked)
    return out.getvalue()


def decoded(content: bytes) -> np.ndarray:
    """(height, width, red green blue), 0-255."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def ink(pixels: np.ndarray) -> np.ndarray:
    """(height, width): where the words are, which are white on dark."""
    rows, columns = np.nonzero(np.abs(pixels - 255).max(axis=2) < 40)
    assert rows.size
    return np.stack([rows, columns])


@pytest.mark.parametrize(("width", "height"), [(400, 300), (512, 512), (1080, 1920), (2048, 640), (90, 64)])
def test_glyphs_have_five_percent_of_the_shorter_side(width: int, height: int) -> None:
    marked = decoded(labels.mark_picture(encoded(np.zeros((height, width, 3), np.uint8))))
    rows, columns = ink(marked)
    empty = [at for at in range(columns.min(), columns.max()) if at not in set(columns.tolist())]
    assert empty, "the letters cannot be told apart"
    letter = rows[columns < empty[0]]  # the A, which is lower than the hanzi
    assert letter.max() - letter.min() + 1 >= 0.05 * min(width, height)
    assert columns.min() > width / 4
    assert rows.max() < height / 2


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_only_the_corner_changes(name: str) -> None:
    before = BACKGROUNDS[name]
    change = np.abs(decoded(labels.mark_picture(encoded(before))) - before).max(axis=2)
    rows, columns = np.nonzero(change)
    assert rows.max() < 60
    assert columns.min() > 280
    assert change[0].max() == change[:, -1].max() == 0  # a margin is left


@pytest.mark.parametrize("name", BACKGROUNDS)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_mark_is_legible(name: str, form: str) -> None:
    """White words on a ground that is at least four times darker (WCAG's ratio, with its gamma)."""
    marked = decoded(labels.mark_picture(encoded(BACKGROUNDS[name], form)))
    black = decoded(labels.mark_picture(encoded(BACKGROUNDS["black"])))
    rows, columns = ink(black)
    sign = marked[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4]
    words = black[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4].max(axis=2)
    light = ((sign / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]) + 0.05
    assert np.median(light[words > 240]) > 4 * np.quantile(light[words == 0], 0.95)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_format_and_metadata_stay(form: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "kept"
    asked: dict[str, Any] = {"icc_profile": b"profile" * 20, "exif": exif} | ({} if form == "PNG" else {"xmp": XMP})
    with Image.open(io.BytesIO(labels.mark_picture(encoded(NOISE, form, **asked)))) as image:
        assert (image.format, image.size, image.mode) == (form, (400, 300), "RGB")
        assert image.info["icc_profile"] == b"profile" * 20
        assert image.getexif()[0x010E] == "kept"
        assert form == "PNG" or b"CreatorTool" in image.info["xmp"]


def test_jpeg_keeps_its_quality() -> None:
    shades = np.add.outer(np.arange(300) // 4, np.arange(400) // 4).astype(np.uint8)
    before = encoded(np.stack([shades, shades[::-1], shades[:, ::-1]], axis=2), "JPEG", quality=80)
    change = np.abs(decoded(labels.mark_picture(before)) - decoded(before)).max(axis=2)
    assert change[:, :270].max() <= 6
    assert change[64:].max() <= 6


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_every_mode_is_marked(mode: str) -> None:
    before = encoded(NOISE, mode=mode)
    after = labels.mark_picture(before)
    changed = np.abs(decoded(after) - decoded(before)).max(axis=2)
    assert 200 < np.count_nonzero(changed[:60, 280:]) == np.count_nonzero(changed)


def test_mark_is_upright_when_the_camera_was_not() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    after = labels.mark_picture(encoded(BACKGROUNDS["black"], "JPEG", exif=exif))
    with Image.open(io.BytesIO(after)) as image:
        assert image.size == (300, 400)
        assert image.getexif().get(0x0112, 1) == 1
    rows, columns = ink(decoded(after))
    assert rows.max() < 60
    assert columns.min() > 180


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnsupportedMedia),
        (b"words", UnsupportedMedia),
        (encoded(NOISE, "GIF", "P"), UnsupportedMedia),
        (encoded(NOISE)[:5_000], InvalidInput),
        (encoded(NOISE, "JPEG")[:5_000], InvalidInput),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        labels.mark_picture(content)


def test_moving_pictures_are_refused() -> None:
    out = io.BytesIO()
    frames = [Image.fromarray(BACKGROUNDS[name]) for name in ("white", "black")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedMedia):
        labels.mark_picture(out.getvalue())


def test_font_has_the_words() -> None:
    from fontTools.ttLib import TTFont

    with TTFont(FONT) as font:
        assert {ord(letter) for letter in "AI生成"} <= set(font.getBestCmap())
