"""A street before two rows of houses."""

from random import Random

from deployments.image.painter.frame import Frame, Item, Row, level
from deployments.image.painter.land import Land, front, land_rows
from deployments.image.painter.palette import LAMP, darker, lighter, mix
from deployments.image.painter.svg import ellipse, group, paint, polygon, rect


def skyline(frame: Frame, base: float, layers: int = 2) -> list[Item]:
    """Houses of a city, far ones pale."""
    items = []
    for layer in range(layers):
        rng = frame.stream("skyline", layer)
        x, depth = -0.02 * frame.width, 0.62 - 0.42 * layer
        while x < frame.width:
            wide, high = rng.uniform(9, 15) * frame.unit, rng.uniform(22, 44 - 12 * layer) * frame.unit
            block = _block(rng, wide / frame.unit, high / frame.unit, lit=layer > 0)
            label = "building" if layer == layers - 1 else ""
            items.append(
                Item(
                    8 + 4 * layer + x / frame.width,
                    frame.light.tint(group(block, x, frame.y(base), frame.unit), depth),
                    label,
                )
            )
            x += wide + rng.uniform(0, 2.5) * frame.unit * layer
    return items


def _block(rng: Random, wide: float, high: float, lit: bool) -> str:
    colour = rng.choice(("#e9b9a0", "#c9cfe0", "#f0d3a4", "#b9d3d6", "#dcb8c4", "#c4c0dc"))
    parts = rect(0, -high, wide, high, paint("v", lighter(colour, 0.25), colour, darker(colour, 0.1)), 0.5)
    roof = rng.random()
    if roof < 0.35:
        parts += polygon(
            [(-0.6, -high + 0.4), (wide + 0.6, -high + 0.4), (wide / 2, -high - 5)], darker(colour, 0.28), 0.3
        )
    elif roof < 0.6:
        parts += rect(-0.5, -high - 0.8, wide + 1, 1.6, darker(colour, 0.2), 0.4)
    for row in range(int((high - 4) / 4.6)):
        for column in range(int(wide / 3.4)):
            on = lit and rng.random() < 0.55
            x = (wide - 3.4 * int(wide / 3.4)) / 2 + 0.9 + 3.4 * column
            parts += rect(x, -high + 2.4 + 4.6 * row, 1.7, 2.5, LAMP if on else mix(colour, "#5f7d9c", 0.42), 0.3)
    return parts


def city(frame: Frame) -> Land:
    """A street before two rows of houses."""
    ground, _ = front(frame, 0.7, ("#d9d2cc", "#b5aeb4"), 0.15)
    u = frame.unit
    kerb = rect(0, frame.y(0.7) + 2.5 * u, frame.width, 1 * u, "#f0e9df") + rect(
        0, frame.y(0.7) + 3.5 * u, frame.width, frame.y(0.31), paint("v", "#a3a1ac", "#8f8d9b")
    )
    dashes = "".join(
        rect(x * 16 * u, frame.y(0.9), 8 * u, 0.9 * u, "#d9d4c8", 0.4, opacity=0.55)
        for x in range(int(frame.width / u / 16) + 1)
    )
    road = Item(52, frame.light.tint(kerb), halo="")
    marks = Item(52.5, halo=frame.light.tint(dashes))
    shine = [Item(53, halo=_puddles(frame))] if "rain" in frame.scene.weather else []
    rows = land_rows(frame, level(frame.y(0.7)))
    rows["mid"] = Row(0.03, 0.97, level(frame.y(0.725)), 55, 0.95, 0.02)
    return [*skyline(frame, 0.71), *ground, road, marks, *shine], rows


def _puddles(frame: Frame) -> str:
    rng, u = frame.stream("puddles"), frame.unit
    parts = ""
    for _ in range(6):
        x, y, w = frame.x(rng.random()), frame.y(rng.uniform(0.78, 0.93)), rng.uniform(6, 13) * u
        parts += ellipse(x, y, w, w * 0.14, frame.light.sky[3], opacity=0.42) + ellipse(
            x + w * 0.1, y, w * 0.5, w * 0.05, "#ffffff", opacity=0.3
        )
    return parts
