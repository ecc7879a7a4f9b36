"""Mountains, forest, snow and desert."""

from random import Random

from deployments.image.painter import nature
from deployments.image.painter.frame import Frame, Item, Row, band, level, ridge
from deployments.image.painter.land import Land, front, greens, hills, land_rows
from deployments.image.painter.palette import mix
from deployments.image.painter.svg import group, paint, path, polygon, rect


def mountains(frame: Frame, horizon: float, snowy: bool = True) -> list[Item]:
    """Peaks with caps of snow, in two ranges."""
    items = []
    for layer, (count, high, depth) in enumerate(((4, 46, 0.55), (3, 36, 0.28))):
        rng = frame.stream("mountains", layer)
        for i in range(count):
            x = frame.x((i + rng.uniform(0.15, 0.85)) / count)
            top = high * rng.uniform(0.75, 1.25)
            items.append(_peak(frame, rng, x, frame.y(horizon + 0.05), top, depth, 6 + layer * 2 + 0.1 * i, snowy))
    return items


def _peak(frame: Frame, rng: Random, x: float, base: float, top: float, depth: float, z: float, snowy: bool) -> Item:
    u = frame.unit
    half, lean = top * rng.uniform(0.85, 1.15), rng.uniform(-4, 4)
    stone = rng.choice(("#8b93b5", "#8aa0b8", "#9a92ad"))
    left, right = (-half, 0.0), (half, 0.0)
    body = polygon([left, (lean, -top), right], paint("v", stone, mix(stone, "#b9d0c0", 0.5)))
    shade = polygon(
        [(lean, -top), right, (lean + half * 0.2, 0), (lean - half * 0.08, -top * 0.5)], "#5d5f8c", opacity=0.22
    )
    cap = ""
    if snowy:
        part = rng.uniform(0.3, 0.42)
        a, b = (lean - (half + lean) * part, -top * (1 - part)), (lean + (half - lean) * part, -top * (1 - part))
        teeth = [
            (a[0] + (b[0] - a[0]) * t, a[1] + top * d)
            for t, d in ((0.2, 0.06), (0.36, -0.03), (0.55, 0.09), (0.72, -0.02), (0.86, 0.05))
        ]
        cap = polygon([a, (lean, -top), b, *reversed(teeth)], "#fbfdff")
        cap += polygon(
            [(lean, -top), b, teeth[-1], teeth[3], (lean + 0.8, -top * (1 - part * 0.6))], "#c9d6ea", opacity=0.7
        )
    return Item(z, frame.light.tint(group(body + cap + shade, x, base, u), depth), "mountain")


def forest(frame: Frame) -> Land:
    """Rows of trunks going into the haze, and a mossy floor."""
    light, deep = greens(frame)
    items = (
        [Item(9, frame.light.tint(rect(0, 0, frame.width, frame.height, mix(light, "#e6f0c8", 0.4)), 0.62))]
        if not frame.light.dark
        else []
    )
    ground, line = front(frame, 0.69)
    snowy = "snow" in frame.scene.weather
    for layer in range(3):
        rng = frame.stream("forest", layer)
        base = 0.6 + 0.04 * layer
        wood = "".join(_trunk(frame, rng, base, layer, snowy) for _ in range(int(15 - 3 * layer)))
        floor = band(frame, ridge(frame, rng, base, 1, 1.5), paint("v", light, deep), 0.95)
        items.append(Item(12 + 3 * layer, frame.light.tint(wood + floor, 0.7 - 0.2 * layer)))
    if not frame.light.dark and not frame.scene.weather & {"rain", "snow"}:
        items.append(Item(21, halo=_beams(frame)))
    return items + ground, land_rows(frame, line) | {"far": Row(0.05, 0.95, level(frame.y(0.67)), 22, 0.85, 0.2)}


def _trunk(frame: Frame, rng: Random, base: float, layer: int, snowy: bool) -> str:
    colour = (
        rng.choice(("#5f9360", "#6ba065", "#7aa85e"))
        if "autumn" not in frame.scene.weather
        else rng.choice(("#d98a3e", "#c9683c", "#e0ac4c"))
    )
    draw = rng.choice((nature.pine, nature.tree)) if not snowy else nature.snowy_pine
    size = frame.unit * rng.uniform(0.75, 1.15) * (0.85 + 0.15 * layer)
    return group(draw(colour, rng), frame.x(rng.uniform(-0.03, 1.03)), frame.y(base + 0.01), size)


def _beams(frame: Frame) -> str:
    rng, u, parts = frame.stream("beams"), frame.unit, ""
    start = frame.x(rng.uniform(0.2, 0.5))
    for i in range(4):
        x = start + i * rng.uniform(11, 17) * u
        points = [(x, -5), (x + 6 * u, -5), (x - 16 * u, frame.y(0.75)), (x - 28 * u, frame.y(0.75))]
        parts += polygon(points, paint("v", frame.light.glow + "58", frame.light.glow + "00"))
    return parts


def highland(frame: Frame) -> Land:
    """A meadow under snowy mountains."""
    ground, line = front(frame)
    snowy = "snow" in frame.scene.weather
    far = ridge(frame, frame.stream("hill", 1), 0.53 + 0.02 + 0.09, 4.3, 1.1)
    foot = hills(frame, 0.55, 2)
    pines = []
    for i in range(9):
        rng = frame.stream("slope", i)
        x = frame.x(rng.random())
        drawn = (nature.snowy_pine if snowy else nature.pine)("#5f9571", rng)
        y = max(far(x), frame.y(0.58)) + 2 * frame.unit
        pines.append(
            Item(
                18 + i * 0.01, frame.light.tint(group(drawn, x, y, frame.unit * rng.uniform(0.28, 0.42)), 0.26), "pine"
            )
        )
    return [*mountains(frame, 0.56), *foot, *pines, *ground], land_rows(frame, line)


def snowfield(frame: Frame) -> Land:
    """White hills and pines."""
    ground, line = front(frame, 0.68, ("#fbfdff", "#cfdff0"))
    items = []
    for i in range(3):
        rng = frame.stream("drift", i)
        roll = ridge(frame, rng, 0.47 + 0.08 * i, 5 - i, 1.1)
        items.append(
            Item(
                10 + 2 * i,
                frame.light.tint(band(frame, roll, paint("v", "#ffffff", "#dbe8f4", "#c4d7ea"), 0.95), 0.5 - 0.18 * i),
            )
        )
        for j in range(4):
            x = frame.x(rng.random())
            drawn = group(
                nature.snowy_pine("#6f9c93", rng),
                x,
                roll(x) + frame.unit,
                frame.unit * rng.uniform(0.3, 0.5) * (1 + 0.25 * i),
            )
            items.append(Item(10.5 + 2 * i + 0.01 * j, frame.light.tint(drawn, 0.45 - 0.16 * i), "pine"))
    return items + ground, land_rows(frame, line)


def desert(frame: Frame) -> Land:
    """Dunes and table mountains."""
    ground, line = front(frame, 0.68, ("#f8dca0", "#e3ae6c"))
    items = []
    rng = frame.stream("mesa")
    for _ in range(3):
        x, w, h = frame.x(rng.random()), rng.uniform(10, 20) * frame.unit, rng.uniform(9, 16) * frame.unit
        y = frame.y(0.56)
        mesa = path(
            f"M{x - w:.1f},{y:.1f} L{x - w * 0.7:.1f},{y - h:.1f}"
            f" Q{x:.1f},{y - h * 1.06:.1f} {x + w * 0.7:.1f},{y - h:.1f} L{x + w:.1f},{y:.1f}Z",
            paint("v", "#d99a72", "#e8b98a"),
        )
        items.append(Item(8, frame.light.tint(mesa, 0.5)))
    for i in range(3):
        dune = ridge(frame, frame.stream("dune", i), 0.53 + 0.05 * i, 3.5, 0.9)
        items.append(
            Item(
                10 + i,
                frame.light.tint(band(frame, dune, paint("v", "#fbe3b0", "#ecbf80", "#e0a868"), 0.95), 0.5 - 0.18 * i),
            )
        )
    return items + ground, land_rows(frame, line)
