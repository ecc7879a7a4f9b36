"""Places with a world of their own: a room, the moon, space, above the clouds, under water."""

from dataclasses import replace
from math import hypot
from random import Random

from deployments.image.painter import heavens
from deployments.image.painter.frame import Frame, Item, Row, band, level, ridge
from deployments.image.painter.land import Land, Rows
from deployments.image.painter.palette import NAMED, darker, lighter, mix
from deployments.image.painter.sky import air, aurora, big_star, halo, sky, specks
from deployments.image.painter.svg import circle, ellipse, faded, group, paint, path, polygon, rect, stroke

WALLS = ("#f6dfc4", "#cfe3d2", "#f3d3cf", "#d3dff0", "#efe0b8", "#dcd3ea")


def room(frame: Frame) -> Land:
    """A wall with a window, a floor with a rug, a bed or a shelf, and a lamp."""
    rng, u = frame.stream("room"), frame.unit
    wall, wood = rng.choice(WALLS), rng.choice(("#c99a6b", "#b98a62", "#d3aa7c"))
    low = frame.y(0.64)
    dots = "".join(
        circle(x * 7 * u + (3.5 * u if y % 2 else 0), y * 6 * u, 0.5 * u, lighter(wall, 0.5))
        for x in range(int(frame.width / u / 7) + 1)
        for y in range(int(low / u / 6) + 1)
    )
    back = rect(0, 0, frame.width, low, paint("v", lighter(wall, 0.2), wall, darker(wall, 0.06))) + dots
    floor = rect(0, low, frame.width, frame.height - low, paint("v", lighter(wood, 0.12), wood, darker(wood, 0.12)))
    planks = "".join(
        stroke(f"M0,{low + k:.1f} H{frame.width}", darker(wood, 0.16), 0.25 * u)
        for k in (4 * u, 10 * u, 18 * u, 28 * u, 40 * u)
    )
    skirting = rect(0, low - 2 * u, frame.width, 2.2 * u, "#fbf5ea")
    mirror = not frame.hero_left
    side = 0.2 if mirror else 0.8
    rug_x, window_x = frame.x(0.5), frame.x(0.5)
    rug = (
        ellipse(rug_x, frame.y(0.8), 36 * u, 7.5 * u, "#e58f82")
        + ellipse(rug_x, frame.y(0.8), 31 * u, 6.2 * u, "#fbe6cf")
        + ellipse(rug_x, frame.y(0.8), 27 * u, 5.2 * u, "#f0b49a")
    )
    items = [
        Item(1, light_inside(frame, back)), Item(2, light_inside(frame, floor + planks + skirting)),
        Item(5, _window(frame, window_x, frame.y(0.14)), "window"), Item(10, light_inside(frame, rug), "rug"),
        _furniture(frame, side, mirror),
        Item(21, halo=halo(frame.x(1 - side), frame.y(0.42), 34 * u, "#FFE2A0")),
    ]  # fmt: skip
    table = (
        rect(-7, -14, 14, 1.8, wood, 0.6)
        + rect(-5.6, -12.4, 1.6, 12.4, darker(wood, 0.1))
        + rect(4, -12.4, 1.6, 12.4, darker(wood, 0.1))
    )
    shade = (
        rect(-0.5, -22, 1, 8, "#8a6b55")
        + polygon([(-5, -21), (5, -21), (3.2, -28), (-3.2, -28)], "#FFE0A0", 0.5)
        + ellipse(0, -14.2, 2.6, 0.7, "#8a6b55")
    )
    items += [Item(22, light_inside(frame, group(table, frame.x(1 - side), frame.y(0.68), u)), "table")]
    items += [Item(23, group(shade, frame.x(1 - side), frame.y(0.68), u), "lamp")]
    rows = {
        "far": Row(0.1, 0.9, level(frame.y(0.68)), 25, 0.7),
        "mid": Row(0.06, 0.94, level(frame.y(0.73)), 55, 0.8),
        "near": Row(0.05, 0.95, level(frame.y(0.82)), 60),
    }
    return items, rows


def _furniture(frame: Frame, side: float, mirror: bool) -> Item:
    """A bed in bedrooms, elsewhere a shelf."""
    if "room" in frame.scene.grounds:
        return Item(20, light_inside(frame, _bed(frame, side, mirror)), "bed")
    return Item(
        20, light_inside(frame, group(_shelf(frame.stream("shelf")), frame.x(side), frame.y(0.68), frame.unit)), "shelf"
    )


def _shelf(rng: Random) -> str:
    wood, parts = "#b9855c", rect(-12, -41, 24, 41, "#a97752", 1) + rect(-10.5, -39.5, 21, 38, "#8a6046", 0.6)
    for row in range(3):
        floor, x = -2.5 - 12.5 * row, -10.0
        while x < 7:
            wide, high = rng.uniform(1.6, 2.8), rng.uniform(6.5, 10)
            colour = NAMED[rng.choice(("red", "blue", "yellow", "green", "turquoise", "cream", "orange"))]
            parts += rect(x, floor - high, wide, high, paint("h", lighter(colour), colour), 0.4)
            x += wide + rng.choice((0.2, 0.2, 1.8))
        parts += rect(-11, floor, 22, 1.3, wood, 0.4)
    return parts


def light_inside(frame: Frame, markup: str) -> str:
    """Rooms are lit: the night comes in only by half."""
    lamp = mix(frame.light.lamp, "#fff0d8", 0.85)
    return replace(frame.light, lamp=lamp).tint(markup)


def _window(frame: Frame, x: float, y: float) -> str:
    u, light = frame.unit, frame.light
    pane = rect(-11, 0, 22, 26, paint("v", *light.sky), 0.8) + light.tint(
        path("M-11,26 V20 Q-4,16 3,20 Q8,22 11,19 V26Z", "#9cc77c")
    )
    if light.dark:
        pane += circle(5, 7, 2.6, "#FBEDBB") + "".join(
            circle(a, b, 0.3, "#FFF8DC") for a, b in ((-7, 5), (-2, 9), (-8, 13), (1, 4), (8, 14))
        )
    frame_bars = rect(-11, 0, 22, 26, "none", 0.8, stroke="#fffaf0", stroke_width=1.8) + stroke(
        "M0,0 V26 M-11,13 H11", "#fffaf0", 1
    )
    curtain = "#e79a8b"
    left = path(
        "M-17,-2 H-6 Q-8,12 -13,18 Q-12,24 -12.6,30 H-17Z", paint("h", curtain, lighter(curtain, 0.25), curtain)
    )
    right = f'<g transform="scale(-1 1)">{left}</g>'
    sill = rect(-13, 25.4, 26, 2, "#fffaf0", 0.6) + rect(-19, -3.4, 38, 1.6, "#b98a62", 0.8)
    return group(pane + light_inside(frame, frame_bars + sill + left + right), x, y, u)


def _bed(frame: Frame, side: float, mirror: bool) -> str:
    quilt = frame.stream("quilt").choice(("#8fb3d9", "#e2a07f", "#9cc296", "#c3a4d3"))
    board = rect(-19, -17, 4, 17, "#a97752", 1.4) + rect(17, -10, 3.4, 10, "#a97752", 1.4)
    mattress = rect(-17, -8, 35, 6, "#fdf6ea", 1.5) + rect(-15, -11.6, 11, 5, "#ffffff", 2.4)
    cover = path("M-5,-9.4 Q6,-12 18,-9 V-2.4 H-5Z", paint("v", lighter(quilt, 0.25), quilt))
    patches = "".join(circle(a, -6 + (a % 2), 0.9, lighter(quilt, 0.55)) for a in (-2, 3, 8, 13))
    return group(mattress + cover + patches + board, frame.x(side), frame.y(0.69), frame.unit * 1.3, flip=not mirror)


def space(frame: Frame) -> Land:
    """Deep sky with planets over a pale ground of craters."""
    rng, u = frame.stream("space"), frame.unit
    deep = rect(0, 0, frame.width, frame.height, paint("v", "#141a4a", "#2a2f72", "#5a4a96"))
    stars = specks(frame, 0.75)
    line = ridge(frame, rng, 0.71, 1.6, 0.5)
    tone = rng.choice(("#d9d3e6", "#e6d6c3", "#c9d6e6"))
    ground = band(frame, line, paint("v", lighter(tone, 0.35), tone, darker(tone, 0.28)))
    holes = ""
    for _ in range(9):
        x = frame.x(rng.random())
        y, r = line(x) + rng.uniform(3, 22) * u, rng.uniform(1.4, 4.6) * u
        holes += ellipse(x, y, r, r * 0.32, darker(tone, 0.2)) + ellipse(
            x, y + r * 0.09, r * 0.86, r * 0.23, darker(tone, 0.1)
        )
    items = [Item(0, deep), Item(1, halo=aurora(frame) + stars), Item(50, ground), Item(51, halo=holes)]
    for i in range(rng.randint(1, 2)):
        drawn = heavens.planet(rng.choice(("#e79a6b", "#7fb7d8", "#c78fc9", "#8fc9a3")), rng)
        place = frame.x(0.14 + 0.66 * i + rng.uniform(-0.04, 0.06))
        items.append(
            Item(3 + i, group(drawn, place, frame.y(rng.uniform(0.2, 0.42)), u * rng.uniform(0.8, 1.5)), "planet")
        )
    return items, high_rows(frame, 0.75)


def high_rows(frame: Frame, mid: float) -> Rows:
    return {
        "far": Row(0.06, 0.94, level(frame.y(mid - 0.01)), 54, 0.7),
        "mid": Row(0.05, 0.95, level(frame.y(mid)), 55, 0.9),
        "near": Row(0.05, 0.95, level(frame.y(0.815)), 60),
    }


def clouds(frame: Frame) -> Land:
    """A sea of clouds to stand on."""
    items = list(sky(frame))
    for layer in range(4):
        items.append(
            Item(
                10 + 13.4 * layer,
                frame.light.tint(_bank(frame, layer), 0.4 - 0.12 * layer),
                "cloud" if layer == 3 else "",
            )
        )
    return items, high_rows(frame, 0.75)


def _bank(frame: Frame, layer: int) -> str:
    rng, u = frame.stream("bank", layer), frame.unit
    y, parts, x = frame.y(0.56 + 0.06 * layer), "", -4 * frame.unit
    tone = mix("#ffffff", "#d5e2f0", 0.2 + 0.1 * (layer % 2))
    while x < frame.width + 6 * u:
        r = rng.uniform(5, 9) * u
        parts += circle(x, y + r * 0.75, r, paint("v", "#ffffff", tone))
        x += r * 1.05
    return parts + rect(0, y + 6 * u, frame.width, frame.height, paint("v", tone, darker(tone, 0.1)))


def moon(frame: Frame) -> Land:
    """A great crescent in a starry sky; who is there sits in its bow."""
    u, x, y = min(frame.unit, frame.width / 90), frame.x(0.5), frame.y(0.45)
    items = [
        Item(0, rect(0, 0, frame.width, frame.height, frame.light.sky[2]) + air(frame, 1.0)),
        Item(1, halo=aurora(frame) + specks(frame, 0.95)),
    ]
    crescent = path("M-27,-27 A37,37 0 1,0 37,4 A33,33 0 0,1 -27,-27Z", paint("b", "#FFFBE6", "#FBEBB4", "#EBCF86"))
    marks = (
        ellipse(-22, 14, 3.4, 4.2, "#F0DA9A")
        + ellipse(-8, 27, 2.6, 2, "#F0DA9A")
        + ellipse(-29, -2, 1.8, 2.4, "#F0DA9A")
    )
    items.append(Item(20, group(crescent + marks, x, y, u), "moon", halo(x, y, 62 * u, "#ffefb8", 0x60)))
    rng = frame.stream("hung stars")
    for i in range(9):
        a, b = frame.x(rng.uniform(0.05, 0.95)), frame.y(rng.uniform(0.06, 0.62))
        if hypot(a - x, b - y) > 42 * u:
            items.append(
                Item(
                    15 + 0.1 * i, big_star(a, b, rng.uniform(1.4, 2.6) * u), "star", halo(a, b, 6 * u, "#fff0b8", 0x50)
                )
            )
    for layer in (1, 3):
        items.append(
            Item(12 + layer, frame.light.tint(faded(group(_bank(frame, layer), 0, 20 * frame.unit), 0.9), 0.2))
        )
    rows = high_rows(frame, 0.8)
    rows["near"] = Row(0.5, 0.5, level(y + 24 * u), 60)
    rows["mid"] = rows["far"] = Row(0.5, 0.5, level(y + 25 * u), 55, 0.6)
    return items, rows


def underwater(frame: Frame) -> Land:
    """Blue depths with beams of light, weeds, corals and bubbles over sand."""
    rng, u = frame.stream("deep"), frame.unit
    beams = "".join(
        polygon(
            [
                (frame.x(a), -5),
                (frame.x(a) + 8 * u, -5),
                (frame.x(a) - 8 * u, frame.y(0.75)),
                (frame.x(a) - 26 * u, frame.y(0.75)),
            ],
            paint("v", "#ffffff40", "#ffffff00"),
        )
        for a in (0.25, 0.42, 0.6, 0.8)
    )
    water = rect(0, 0, frame.width, frame.height, paint("v", "#8fe0e4", "#4fb3cf", "#2f86b3", "#2b6f9c"))
    line = ridge(frame, rng, 0.72, 2, 0.8)
    sand = band(frame, line, paint("v", "#f3e2b8", "#d9c08f", "#b79a78"))
    items = [Item(0, frame.light.tint(water)), Item(1, halo=beams), Item(50, frame.light.tint(sand))]
    for i in range(9):
        x = frame.x(rng.choice((rng.uniform(0.0, 0.24), rng.uniform(0.76, 1.0))))
        label, drawn = ("coral", _coral(rng)) if i % 3 == 0 else ("seaweed", _weed(rng))
        items.append(Item(52 + 0.1 * i, frame.light.tint(group(drawn, x, line(x) + 3 * u, u)), label))
    bubbles = "".join(
        circle(
            frame.x(rng.random()), frame.y(rng.uniform(0.05, 0.7)), rng.uniform(0.4, 1.4) * u, "#ffffff", opacity=0.28
        )
        for _ in range(26)
    )
    rows = high_rows(frame, 0.76) | {"water": Row(0.08, 0.92, level(frame.y(0.4)), 45, 0.9)}
    return [*items, Item(54, halo=bubbles)], rows


def _weed(rng: Random) -> str:
    tall, green = rng.uniform(12, 26), rng.choice(("#4fa37a", "#6cb86a", "#3f9a8c"))
    long = stroke(f"M0,0 C4,{-tall * 0.3:.1f} -4,{-tall * 0.6:.1f} 1,{-tall:.1f}", green, 2.4)
    return long + stroke(f"M2,0 C7,{-tall * 0.2:.1f} 1,{-tall * 0.5:.1f} 6,{-tall * 0.7:.1f}", lighter(green), 1.8)


def _coral(rng: Random) -> str:
    branches = "M0,0 V-9 M0,-4 Q-5,-5 -5,-11 M0,-5 Q5,-6 5,-12 M-5,-9 Q-8,-9 -8,-13 M0,-8 Q1,-12 1,-14"
    return stroke(branches, rng.choice(("#f08a7a", "#f2a9c0", "#f3b45e", "#b58ad0")), 2.4)


PLACES = {"room": room, "parlour": room, "space": space, "clouds": clouds, "moon": moon, "underwater": underwater}
