"""The painter draws what a prompt names, and tells the truth about where."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from contracts.image import ImageRequest, Picture, Thing
from deployments.image.painter import Painter
from deployments.image.painter.boxes import boxes
from deployments.image.painter.layout import compose
from deployments.image.painter.painter import markup
from deployments.image.painter.people import PEOPLE
from deployments.image.painter.raster import pixels
from deployments.image.painter.reading import read
from deployments.image.painter.shapes import SHAPES
from deployments.image.painter.species import SPECIES
from deployments.image.painter.vocabulary import ENTRIES

PAINTER = Painter()
PAINTER.load()


def paint(prompt: str, seed: int = 1, width: int = 320, height: int = 180) -> Picture:
    *_, picture = PAINTER.generate(ImageRequest(prompt=prompt, seed=seed, width=width, height=height))
    assert isinstance(picture, Picture)
    return picture


def image(picture: Picture) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(picture.png)) as opened:
        return np.asarray(opened.convert("RGB"))


def labels(picture: Picture) -> set[str]:
    return {thing.label for thing in picture.things}


def test_the_same_request_gives_the_same_picture() -> None:
    assert paint("a fox by a lake") == paint("a fox by a lake")


def test_another_seed_gives_another_picture() -> None:
    assert paint("a fox by a lake", seed=1).png != paint("a fox by a lake", seed=2).png


@pytest.mark.parametrize(("width", "height"), [(512, 512), (320, 180), (180, 320), (64, 64), (640, 64), (64, 640)])
def test_the_size_is_as_asked(width: int, height: int) -> None:
    picture = paint("a cat under a tree", width=width, height=height)
    assert image(picture).shape == (height, width, 3)
    assert (picture.width, picture.height) == (width, height)
    for thing in picture.things:
        x1, y1, x2, y2 = thing.box
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("A fox by a lake at sunset", {"fox", "lake", "sun"}),
        ("two boats and a lighthouse by the sea", {"boat", "lighthouse", "sea"}),
        ("a rabbit in a forest at night", {"rabbit", "tree", "moon"}),
        ("a girl in a seaside village with a kite", {"girl", "kite", "house", "sea"}),
        ("a robot in a city in the rain with an umbrella", {"robot", "umbrella", "building"}),
        ("a panda in snowy mountains", {"panda", "mountain"}),
        ("a dragon and a princess before a castle", {"dragon", "princess", "castle"}),
        ("a boy reading in bed", {"boy", "book", "bed", "window"}),
        ("grandmother bakes a cake in the kitchen", {"grandmother", "cake", "table", "window"}),
        ("小猫在月亮上钓鱼", {"cat", "moon", "fishing rod"}),
        ("湖边的日落，三朵红花\n主角：橙色的小狐狸，戴蓝色围巾", {"fox", "lake", "flower"}),
        ("熊猫和老虎在花园里，天上有彩虹和热气球", {"panda", "tiger", "rainbow", "hot-air balloon"}),
        ("海底的乌龟和鲸鱼", {"turtle", "whale"}),
        ("企鹅在雪地里堆雪人", {"penguin", "snowman"}),
        ("机器人坐火箭去太空", {"robot", "rocket"}),
    ],
)
def test_what_is_named_is_shown(prompt: str, shown: set[str]) -> None:
    assert shown <= labels(paint(prompt, width=640, height=360))


@pytest.mark.parametrize(
    ("prompt", "hidden"),
    [
        ("The best season in the meadow", {"sea"}),
        ("a scarf and a carpet at midnight", {"car", "sun"}),
        ("上海的街道", {"sea"}),
        ("老师说，星期一马上就到了", {"horse", "star"}),
        ("熊猫", {"bear", "cat"}),
        ("sunset over the hills\nMain character: a fox", {"child", "girl"}),
    ],
)
def test_words_within_words_are_not_shown(prompt: str, hidden: set[str]) -> None:
    assert not hidden & labels(paint(prompt))


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("a cat and a dog in a garden", "cat"),
        ("a cat and a dog in a garden", "dog"),
        ("a house and a windmill in a village", "windmill"),
        ("a boat on a lake", "boat"),
        ("a red balloon in the sky over a meadow", "balloon"),
        ("a castle in the mountains at night", "castle"),
        ("a bear beside a tree at sunset", "sun"),
        ("小狐狸打着雨伞", "umbrella"),
    ],
)
def test_a_box_is_where_its_thing_is(prompt: str, label: str) -> None:
    """Take each thing of the name away: the pixels that change are those of its box."""
    size = (640, 360)
    items = compose(read(prompt, 3), *size)
    whole = pixels(markup(items), *size).astype(int)
    told = [thing.box for thing in boxes(items, *size) if thing.label == label]
    assert told
    changed = [
        box
        for place, item in enumerate(items)
        if item.label == label
        and (
            box := difference(
                whole, pixels(markup([*items[:place], replace(item, body=""), *items[place + 1 :]]), *size)
            )
        )
    ]
    for box in told:
        assert min(max(abs(a - b) for a, b in zip(box, other, strict=True)) for other in changed) <= 3


def difference(one: NDArray[np.int_], other: NDArray[np.uint8]) -> tuple[float, ...] | None:
    """The box of the pixels that clearly differ."""
    rows, columns = np.nonzero(np.abs(one - other.astype(int)).sum(axis=2) > 8)
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if rows.size else None


def test_what_is_hidden_is_not_told() -> None:
    items = compose(read("a mouse in a meadow", 1), 320, 180)
    wall = replace(items[0], z=100, body='<rect width="320" height="180" fill="#808080"/>')
    assert boxes([*items, wall], 320, 180) == []


@pytest.mark.parametrize(
    "line",
    [
        "Main character: a small orange fox with a blue scarf",
        "主角：戴红帽子的小女孩",
        "Main character: someone quite new",
    ],
)
def test_the_hero_looks_the_same_on_each_page(line: str) -> None:
    looks = [read(f"{page}\n{line}", seed).hero for page, seed in (("By the sea at noon", 1), ("夜里的森林", 99))]
    assert all(looks)
    assert len({figure.look for figure in looks if figure}) == 1


def test_the_hero_has_the_same_colours_on_each_page() -> None:
    line = "\nMain character: a small orange fox with a blue scarf"
    day, night = (
        histogram(paint(page + line, seed, 640, 360))
        for page, seed in (("a lake at noon", 1), ("a forest at night", 7))
    )
    other = histogram(paint("a lake at noon\nMain character: a grey mouse", 1, 640, 360), "mouse")
    assert np.minimum(day, night).sum() > 0.8
    assert np.minimum(day, other).sum() < 0.5


def histogram(picture: Picture, label: str = "fox") -> NDArray[np.float64]:
    """Shares of colours in the inner part of the hero, where nothing else shows."""
    x1, y1, x2, y2 = next(thing for thing in picture.things if thing.label == label).box
    left, right = round(x1 + 0.42 * (x2 - x1)), round(x1 + 0.62 * (x2 - x1))
    crop = image(picture)[round(y1 + 0.3 * (y2 - y1)) : round(y1 + 0.9 * (y2 - y1)), left:right] // 64
    counts = np.bincount((crop.astype(int) @ [16, 4, 1]).ravel(), minlength=64)
    return counts / counts.sum()


def test_the_hero_is_large_and_leaves_room_for_subtitles() -> None:
    for seed in range(4):
        picture = paint("In the village\n主角：一只棕色的小熊", seed, 640, 360)
        hero: Thing = next(thing for thing in picture.things if thing.label == "bear")
        assert 0.33 <= (hero.box[3] - hero.box[1]) / 360 <= 0.46
        assert hero.box[3] / 360 <= 0.86


@pytest.mark.parametrize(
    ("prompt", "species", "coat", "wears"),
    [
        ("a white rabbit with a red scarf and a yellow hat", "rabbit", "white", {"scarf": "red", "hat": "yellow"}),
        ("a girl with long brown hair in a blue dress", "girl", "", {"long hair": "brown", "dress": "blue"}),
        ("戴绿色眼镜的灰色小猫和穿红裙子的女孩", "cat", "grey", {"glasses": "green"}),
        ("橙色的小狐狸，戴蓝色围巾", "fox", "orange", {"scarf": "blue"}),
    ],
)
def test_colours_and_clothes_are_those_named(prompt: str, species: str, coat: str, wears: dict[str, str]) -> None:
    hero = read(prompt, 1).hero
    assert hero
    assert (hero.look.species, hero.look.coat, dict(hero.look.wears)) == (species, coat, wears)


@pytest.mark.parametrize("label", [*SHAPES, "rainbow", *SPECIES, *PEOPLE])
def test_all_that_can_be_drawn_is_seen(label: str) -> None:
    seen = boxes(compose(read(f"a {label}", 1), 320, 180), 320, 180)
    assert label in {thing.label for thing in seen}


@settings(max_examples=25, deadline=None)
@given(prompt=st.text(min_size=1, max_size=80), seed=st.integers(0, 2**32 - 1))
def test_any_text_gives_a_picture(prompt: str, seed: int) -> None:
    assert image(paint(prompt, seed, 96, 64)).shape == (64, 96, 3)


@settings(max_examples=25, deadline=None)
@given(words=st.lists(st.sampled_from(sorted(ENTRIES)), min_size=1, max_size=9), seed=st.integers(0, 2**32 - 1))
def test_any_words_together_give_a_picture(words: list[str], seed: int) -> None:
    assert image(paint(" ".join(words), seed, 96, 64)).shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("hero", "colour"), [("a girl with braids and a yellow dress", ""), ("一个黑色长发的女孩", "black")]
)
def test_hair_has_the_colour_that_is_said_and_else_a_natural_one(hero: str, colour: str) -> None:
    scene = read(f"a garden\nMain character: {hero}", 1)
    assert scene.hero
    hair = {name: said for name, said in scene.hero.look.wears if name in ("braids", "long hair")}
    assert list(hair.values()) == [colour]


def test_an_owl_is_no_cat() -> None:
    scene = read("小猫头鹰和小猫在花园里", 1)
    assert {figure.look.species for figure in (scene.hero, *scene.others) if figure} == {"owl", "cat"}
