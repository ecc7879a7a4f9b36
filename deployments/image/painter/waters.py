"""The sea, a lake, a river."""

from math import pi, sin
from random import Random

from deployments.image.painter.frame import Frame, Item, Line, Row, band, level, ridge
from deployments.image.painter.land import Land, front, greens, hills, land_rows
from deployments.image.painter.palette import mix
from deployments.image.painter.svg import ellipse, faded, number, paint, path, rect, smooth, stroke


def sea(frame: Frame) -> Land:
    """Water to the horizon, a headland to one side, sand in front."""
    rng = frame.stream("sea")
    ground, line = front(frame, 0.7, ("#fbe8bf", "#ecc98f"), 2.2)
    foam = stroke(
        smooth([(x, line(x) - 0.3 * frame.unit) for x in _steps(frame)]), "#ffffff", 1.1 * frame.unit, opacity=0.8
    )
    wet = band(frame, lambda x: line(x) - 1.4 * frame.unit, "#bfe4e0")
    headland, far = _headland(frame, rng)
    water = Item(12, water_body(frame, 0.5), "sea")
    rows = land_rows(frame, line) | {"far": far, "water": Row(0.08, 0.92, level(frame.y(0.61)), 30, 0.9, 0.05)}
    wash = Item(49, frame.light.tint(faded(wet, 0.9) + foam))
    shells = Item(52, halo=frame.light.tint(_shells(frame, rng, line)))
    shine = Item(13, halo=glints(frame, 0.51, 0.68))
    return [water, shine, headland, wash, *ground, shells], rows


def _steps(frame: Frame) -> list[float]:
    return [frame.width * i / 20 for i in range(-1, 22)]


def _shells(frame: Frame, rng: Random, line: Line) -> str:
    parts = ""
    for _ in range(26):
        x = frame.x(rng.random())
        y = line(x) + rng.uniform(3, 24) * frame.unit
        tone = rng.choice(("#e0b57c", "#f6d9b6", "#dba980"))
        parts += ellipse(x, y, rng.uniform(0.2, 0.9) * frame.unit, 0.22 * frame.unit, tone, opacity=0.7)
    return parts


def _headland(frame: Frame, rng: Random) -> tuple[Item, Row]:
    """A green cape running into the sea, wide enough for a village or a lighthouse."""
    light, deep = greens(frame)
    left = not frame.hero_left
    reach = rng.uniform(0.36, 0.48)
    base, high = frame.y(0.525), rng.uniform(6, 9) * frame.unit

    def line(x: float) -> float:
        part = (x if left else frame.width - x) / frame.width / reach
        return base - high * max(0.0, 1 - part**2.2) * (0.9 + 0.1 * sin(7 * part))

    points = [
        (frame.x(reach * i / 16), line(frame.x(reach * i / 16) if left else frame.width - frame.x(reach * i / 16)))
        for i in range(17)
    ]
    points = [(x if left else frame.width - x, y) for x, y in points]
    d = smooth(points) + f"L{number(0 if left else frame.width)},{number(base + 0.6 * frame.unit)}Z"
    body = path(d, paint("v", light, deep, mix(deep, "#b39b72", 0.5)))
    x0, x1 = (0.02, reach * 0.8) if left else (1 - reach * 0.8, 0.98)
    return Item(14, frame.light.tint(body, 0.2)), Row(x0, x1, lambda x: line(x) + 0.8 * frame.unit, 15, 0.62, 0.16)


def water_body(frame: Frame, top: float, bottom: float = 0.95) -> str:
    """Water from a straight horizon down, with the sky in it."""
    return rect(0, frame.y(top), frame.width, frame.y(bottom - top), water_paint(frame))


def glints(frame: Frame, top: float, low: float, x0: float = 0, x1: float = 1) -> str:
    """Short strokes of light on water."""
    rng, parts = frame.stream("glints"), ""
    for _ in range(60):
        part = rng.random() ** 1.3
        x, y = frame.x(rng.uniform(x0, x1)), frame.y(top + (low - top) * part)
        half = (1 + 5.5 * part) * rng.uniform(0.5, 1.4) * frame.unit
        parts += ellipse(x, y, half, (0.1 + 0.22 * part) * frame.unit, frame.light.glow, opacity=rng.uniform(0.25, 0.6))
    return parts


def lake(frame: Frame) -> Land:
    """A still water between wooded hills and a grassy bank."""
    ground, line = front(frame, 0.7)
    rng = frame.stream("lake")
    shore = ridge(frame, rng, 0.545, 0.5, 1.5)
    water = band(frame, shore, water_paint(frame), 0.9)
    far = ridge(frame, frame.stream("hill", 2), 0.49 + 0.11, 3.1, 1.1)
    reeds = Item(53, halo=frame.light.tint(_reeds(frame, rng, line)))
    mirror = faded(band(frame, lambda x: shore(x) + 0.2 * frame.unit, paint("v", "#4e7f6a90", "#4e7f6a00"), 0.64), 0.5)
    surface = Item(30, water, "lake")
    rows = land_rows(frame, line) | {"water": Row(0.1, 0.9, level(frame.y(0.635)), 35, 0.75, 0.03)}
    rows["far"] = Row(0.05, 0.95, lambda x: min(far(x), shore(x)) + 0.6 * frame.unit, 29, 0.6, 0.2)
    return [
        *hills(frame, 0.49),
        surface,
        Item(32, halo=glints(frame, 0.57, 0.68)),
        Item(31, halo=frame.light.tint(mirror)),
        *ground,
        reeds,
    ], rows


def water_paint(frame: Frame) -> str:
    """Water that mirrors the sky: the horizon far away, the height of the sky near by. Not to be tinted again."""
    (_, high, low, _), own = frame.light.sky, frame.light.water
    return paint("v", mix(low, own, 0.3), mix(low, own, 0.55), mix(high, own, 0.55))


def _reeds(frame: Frame, rng: Random, line: Line) -> str:
    u, parts = frame.unit, ""
    for side in (rng.uniform(0.02, 0.1), rng.uniform(0.9, 0.98)):
        for _ in range(9):
            x = frame.x(side) + rng.gauss(0, 3) * u
            y, tall, lean = line(x) + 3 * u, rng.uniform(7, 12) * u, rng.uniform(-1, 1) * u
            parts += stroke(f"M{x:.1f},{y:.1f} q0,{-tall / 2:.1f} {lean:.1f},{-tall:.1f}", "#6d9c55", 0.45 * u)
            if rng.random() < 0.5:
                parts += ellipse(x + lean, y - tall, 0.6 * u, 1.7 * u, "#9a6b45")
    return parts


def river(frame: Frame) -> Land:
    """A stream that winds from the hills to the near bank."""
    light, deep = greens(frame)
    rng = frame.stream("river")
    ground, line = front(frame, 0.71)
    middle = frame.x(rng.uniform(0.66, 0.74) if frame.hero_left else rng.uniform(0.26, 0.34))
    meadow_line = ridge(frame, frame.stream("hill", 2), 0.5 + 0.11, 2, 1.1)
    left, right, u = [], [], frame.unit
    for i in range(9):
        part = i / 8
        y = frame.y(0.545 + 0.2 * part)
        x = middle + sin(part * pi * 1.6) * 13 * u * (0.3 + part)
        half = (1.4 + 22 * part**1.5) * u
        left.append((x - half, y))
        right.append((x + half, y))
    d = smooth(left) + "L" + smooth(list(reversed(right)))[1:] + "Z"
    bank = stroke(d, mix(deep, "#e8d9a8", 0.6), 1.2 * u)
    stream = path(d, water_paint(frame))
    plain = Item(
        25,
        frame.light.tint(
            band(frame, lambda x: min(meadow_line(x), frame.y(0.56)), paint("v", light, deep), 0.95), 0.12
        ),
    )
    rows = land_rows(frame, line, meadow_line)
    spot = (middle + sin(pi * 1.1) * 9 * u) / frame.width
    rows["water"] = Row(spot - 0.03, spot + 0.03, level(frame.y(0.685)), 35, 0.55, 0.02)
    rows["bridge"] = Row(spot, spot, level(frame.y(0.69)), 36, 1.0)
    surface = Item(30, frame.light.tint(bank) + stream, "river")
    return [*hills(frame, 0.5), plain, surface, *ground], rows
