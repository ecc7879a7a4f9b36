"""The sky, and what falls from it."""

from collections.abc import Iterator

from deployments.image.painter.frame import Frame, Item
from deployments.image.painter.heavens import star_shape
from deployments.image.painter.palette import lighter, mix
from deployments.image.painter.svg import circle, ellipse, faded, paint, rect, stroke

ARCH = ("#e8746a", "#f2a65a", "#f6d869", "#8cc878", "#6fb0dc", "#a68ac9")


def sky(frame: Frame) -> Iterator[Item]:
    """Air from the top to behind the horizon; at night with the smallest stars."""
    light = frame.light
    yield Item(0, rect(0, 0, frame.width, frame.height, light.sky[2]) + air(frame, 0.7))
    if light.dark and not frame.scene.weather & {"rain", "cloudy"}:
        yield Item(0.5, halo=specks(frame))


def air(frame: Frame, low: float) -> str:
    return rect(0, 0, frame.width, frame.y(low), paint("v", *frame.light.sky))


def specks(frame: Frame, low: float = 0.55) -> str:
    """Points of starlight."""
    rng = frame.stream("specks")
    sizes = (0.12, 0.16, 0.2, 0.3)
    return "".join(
        circle(frame.x(rng.random()), frame.y(low * rng.random() ** 1.2), rng.choice(sizes) * frame.unit, "#FFF8DC",
               opacity=rng.uniform(0.45, 1))
        for _ in range(rng.randint(60, 110))
    )  # fmt: skip


def halo(x: float, y: float, radius: float, colour: str, strength: int = 0x90) -> str:
    """Light around a place, fading out."""
    stops = (f"{colour}{strength:02x}", f"{colour}{strength // 3:02x}", f"{colour}00")
    return circle(x, y, radius, paint("r", *stops))


def rainbow(frame: Frame) -> Item:
    """An arch behind the land."""
    rng = frame.stream("rainbow")
    x, y, u = frame.x(rng.uniform(0.35, 0.65)), frame.y(0.66), frame.unit
    radius = min(frame.width * 0.4, frame.y(0.56))
    arcs = ""
    for i, colour in enumerate(ARCH):
        r = radius - i * 1.7 * u
        arcs += stroke(
            f"M{x - r:.1f},{y:.1f} A{r:.1f},{r:.1f} 0 0 1 {x + r:.1f},{y:.1f}", colour, 1.8 * u, stroke_linecap="butt"
        )
    return Item(4, frame.light.tint(faded(arcs, 0.62), 0.12), "rainbow")


def aurora(frame: Frame) -> str:
    """Soft coloured clouds of a deep sky."""
    rng = frame.stream("aurora")
    glows = ("#8a6fd0", "#4f8fd0", "#d07fb0", "#4fb0b0")
    return "".join(
        ellipse(frame.x(rng.random()), frame.y(rng.uniform(0, 0.6)), 40 * frame.unit, 22 * frame.unit,
                paint("r", f"{rng.choice(glows)}55", f"{rng.choice(glows)}00"))
        for _ in range(5)
    )  # fmt: skip


def falling(frame: Frame) -> Iterator[Item]:
    """Rain, snow, leaves or petals over everything."""
    rng, u = frame.stream("falling"), frame.unit
    weather = frame.scene.weather
    spots = [(frame.x(rng.random()), frame.y(rng.random()), rng.uniform(0.6, 1.3)) for _ in range(130)]
    if "rain" in weather:
        drops = "".join(
            stroke(f"M{x:.1f},{y:.1f} l{-0.9 * s * u:.1f},{4.2 * s * u:.1f}", "#e3eef8", 0.22 * u) for x, y, s in spots
        )
        yield Item(95, halo=faded(drops, 0.5))
    if "snow" in weather:
        flakes = "".join(circle(x, y, 0.5 * s * s * u, "#ffffff", opacity=0.9) for x, y, s in spots)
        yield Item(95, halo=flakes)
    if weather & {"autumn", "spring"} and "rain" not in weather:
        colours = ("#e58b3c", "#d8603c", "#efb94a") if "autumn" in weather else ("#f7b9cb", "#fbd3dd", "#f3a3ba")
        leaves = "".join(
            f'<g transform="translate({x:.1f} {y:.1f}) rotate({360 * s:.0f})">'
            + ellipse(0, 0, 1.1 * u * s, 0.55 * u * s, rng.choice(colours)) + "</g>"
            for x, y, s in spots[:26]
        )  # fmt: skip
        yield Item(95, halo=faded(leaves, 0.85))


def finish(frame: Frame) -> Item:
    """A breath of light from above and a calm foot for subtitles."""
    width, height = frame.width, frame.height
    dim = "#1b2448" if frame.light.dark else "#5a4a52"
    foot = rect(0, height * 0.8, width, height * 0.2, paint("v", f"{dim}00", f"{dim}30"))
    top = rect(
        0, 0, width, height * 0.3, paint("v", lighter(mix(frame.light.glow, dim, 0.1)) + "1c", frame.light.glow + "00")
    )
    return Item(99, halo=foot + top)


def big_star(x: float, y: float, r: float) -> str:
    return star_shape(x, y, r, "#FFE9A0")
