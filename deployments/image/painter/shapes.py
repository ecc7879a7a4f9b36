"""The things that can be drawn, by name: each shape, its size, where it stands and its colours.

Colours are those of daylight; what gives off light is written in capitals (see svg).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from deployments.image.painter import buildings, goods, heavens, nature, vehicles, wildlife

Draw = Callable[[str, Random], str]


@dataclass(frozen=True)
class Shape:
    """How a thing is drawn, its width and height in units, its row, and the colours it may have."""

    draw: Draw
    width: float
    height: float
    row: str  # sky, air, far, mid, near or water
    colours: tuple[str, ...] = ("red", "blue", "yellow", "green", "purple", "pink", "orange", "turquoise")
    glow: float = 0  # radius of a halo


SHAPES = {
    "tree": Shape(nature.tree, 32, 42, "mid", ("green",)),
    "pine": Shape(nature.pine, 23, 42, "mid", ("green",)),
    "palm": Shape(nature.palm, 34, 42, "mid", ("green",)),
    "bush": Shape(nature.bush, 21, 11, "near", ("green",)),
    "cactus": Shape(nature.cactus, 18, 24, "mid", ("green",)),
    "flower": Shape(nature.small_flower, 6.5, 9.6, "near", ("red", "yellow", "pink", "purple", "orange", "white")),
    "mushroom": Shape(nature.mushroom, 13, 11.5, "near", ("red", "orange", "brown")),
    "rock": Shape(nature.rock, 17, 9, "near"),
    "fence": Shape(buildings.fence, 27, 10, "mid"),
    "house": Shape(buildings.house, 28, 27, "mid"),
    "castle": Shape(buildings.castle, 34, 44, "far"),
    "lighthouse": Shape(buildings.lighthouse, 12, 38, "far", ("red", "blue")),
    "windmill": Shape(buildings.windmill, 33, 38, "mid"),
    "tent": Shape(buildings.tent, 26, 19, "mid"),
    "bridge": Shape(buildings.bridge, 45, 15, "bridge"),
    "bench": Shape(buildings.bench, 21, 11, "mid"),
    "lamp": Shape(buildings.lamp, 8, 32, "mid", glow=11),
    "boat": Shape(vehicles.boat, 23, 25, "water"),
    "car": Shape(vehicles.car, 28, 14, "mid"),
    "train": Shape(vehicles.train, 45, 17, "mid"),
    "rocket": Shape(vehicles.rocket, 19, 33, "air", ("red", "blue", "orange", "turquoise")),
    "hot-air balloon": Shape(vehicles.hot_air_balloon, 25, 33, "sky"),
    "balloon": Shape(vehicles.balloon, 10, 20, "air"),
    "kite": Shape(vehicles.kite, 14, 22, "sky"),
    "lantern": Shape(goods.lantern, 9, 15, "air", ("red", "orange"), 12),
    "umbrella": Shape(goods.umbrella, 31, 36, "near"),
    "book": Shape(goods.book, 14, 9, "near"),
    "cake": Shape(goods.cake, 19, 16, "near"),
    "gift": Shape(goods.gift, 12, 11, "near"),
    "ball": Shape(goods.ball, 8, 8, "near"),
    "apple": Shape(goods.apple, 10, 9, "near", ("red",)),
    "snowman": Shape(goods.snowman, 25, 28, "mid"),
    "campfire": Shape(goods.campfire, 15, 15, "near", glow=16),
    "butterfly": Shape(wildlife.butterfly, 11, 8, "air"),
    "bird": Shape(wildlife.bird, 17, 11, "sky"),
    "bee": Shape(wildlife.bee, 8, 9, "air", ("yellow",)),
    "fish": Shape(wildlife.fish, 16, 10, "water", ("orange", "red", "yellow", "blue")),
    "whale": Shape(wildlife.whale, 34, 20, "water"),
    "planet": Shape(heavens.planet, 20, 14, "sky"),
    "star": Shape(heavens.star, 5, 5, "sky", glow=5),
    "sun": Shape(heavens.sun, 14, 14, "sky", glow=26),
    "moon": Shape(heavens.moon, 14, 14, "sky", glow=22),
    "cloud": Shape(heavens.cloud, 25, 11, "sky"),
    "fishing rod": Shape(goods.fishing_rod, 32, 30, "near"),
}
