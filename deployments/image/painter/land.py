"""Land from far to near, and the rows on which things may stand."""

from random import Random

from deployments.image.painter.frame import Frame, Item, Line, Row, band, level, ridge
from deployments.image.painter.palette import darker, lighter, mix, shifted
from deployments.image.painter.svg import circle, ellipse, group, paint, stroke

Rows = dict[str, Row]


Land = tuple[list[Item], Rows]


def greens(frame: Frame) -> tuple[str, str]:
    """Grass, light and deep, of the season."""
    rng = frame.stream("grass")
    weather = frame.scene.weather
    light, deep = "#b5d982", "#79b765"
    if "autumn" in weather:
        light, deep = "#e6cd7c", "#c79f55"
    if "snow" in weather:
        light, deep = "#fbfdff", "#d3e2f0"
        return light, deep
    hue = rng.uniform(-0.025, 0.03)
    return shifted(light, hue), shifted(deep, hue)


def front(
    frame: Frame, top: float = 0.68, fill: tuple[str, str] | None = None, swing: float = 1.6
) -> tuple[list[Item], Line]:
    """The near ground, with tufts or texture above the calm foot."""
    rng = frame.stream("front")
    light, deep = fill or greens(frame)
    line = ridge(frame, rng, top, swing, 0.8)
    body = band(frame, line, paint("v", light, mix(light, deep, 0.6), deep))
    rim = band(frame, lambda x: line(x) + 0.5 * frame.unit, paint("v", lighter(light, 0.3) + "80", light + "00"))
    dabs = "" if fill else _tufts(frame, rng, line, light, deep)
    return [Item(50, frame.light.tint(body + rim)), Item(51, halo=frame.light.tint(dabs))], line


def _tufts(frame: Frame, rng: Random, line: Line, light: str, deep: str) -> str:
    u, parts = frame.unit, ""
    snowy = "snow" in frame.scene.weather
    for _ in range(46):
        x = frame.x(rng.random())
        y = line(x) + rng.uniform(2, 17) * u
        s = rng.uniform(0.5, 1.1) * u
        if snowy:
            parts += ellipse(x, y, 4 * s, 0.6 * s, "#ffffff", opacity=0.6)
        elif rng.random() < 0.75:
            colour = rng.choice((lighter(light, 0.15), darker(deep, 0.08), deep))
            blades = "M-1,0 q0,-1 -0.7,-1.6 M0,0 v-2 M1,0 q0,-1 0.7,-1.6"
            parts += group(stroke(blades, colour, 0.42), x, y, s)
        else:
            tone = rng.choice(("#fff6f0", "#fbe08a", "#f7b7c4", "#d9c4f0"))
            parts += circle(x, y - s * 0.7, 0.55 * s, tone) + circle(x, y - s * 0.7, 0.2 * s, "#e8a83c")
    return parts


def hills(frame: Frame, horizon: float, layers: int = 3, woods: bool = True) -> list[Item]:
    """Rolling land behind, paler with distance."""
    light, deep = greens(frame)
    items = []
    for i in range(layers):
        rng = frame.stream("hill", i)
        near = (i + 1) / (layers + 1)
        line = ridge(frame, rng, horizon - 0.07 + 0.09 * i, 5.5 - 1.2 * i, 1.1)
        ground = paint("v", mix(light, "#f6f3c0", 0.15), mix(light, deep, 0.5), deep)
        items.append(Item(10 + i, frame.light.tint(band(frame, line, ground, 0.95), 0.72 * (1 - near))))
        if woods and i:
            items.append(Item(10 + i - 0.2, frame.light.tint(_woods(frame, rng, line, deep), 0.72 * (1 - near))))
    return items


def _woods(frame: Frame, rng: Random, line: Line, deep: str) -> str:
    """Clumps of far trees along a ridge."""
    u, parts = frame.unit, ""
    tone = darker(deep, 0.12) if "snow" not in frame.scene.weather else "#9db5bd"
    for _ in range(rng.randint(2, 4)):
        middle = frame.x(rng.random())
        for _ in range(rng.randint(4, 8)):
            x = middle + rng.gauss(0, 5) * u
            r = rng.uniform(1.3, 2.6) * u
            parts += ellipse(x, line(x) - 0.5 * r, r, r * 1.15, paint("v", lighter(tone, 0.2), tone))
    return parts


def land_rows(frame: Frame, line: Line, far: Line | None = None) -> Rows:
    """The rows of a scene on land."""
    u = frame.unit
    behind = far or (lambda x: line(x) - 2 * u)
    return {
        "far": Row(0.05, 0.95, lambda x: min(behind(x), line(x)) + 2.2 * u, 20, 0.85, 0.14),
        "mid": Row(0.03, 0.97, lambda x: line(x) + 2.6 * u, 55, 1.0, 0.03),
        "near": Row(0.04, 0.96, level(frame.y(0.815)), 60),
    }


def meadow(frame: Frame) -> Land:
    """Hills and grass."""
    ground, line = front(frame)
    far = ridge(frame, frame.stream("hill", 2), 0.51 + 0.18, 3.1, 1.1)
    rows = land_rows(frame, line, far)
    return hills(frame, 0.51) + ground, rows
