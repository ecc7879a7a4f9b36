"""SVG as strings: each function returns markup, and a paint is a name that spells its own stops.

A gradient such as `url(#v-ffcc00-ff8800)` needs no registry: `document` reads the names that a drawing mentions and
writes their definitions. So a drawing can be recoloured (`recolour`) or flattened to one colour (`silhouette`) as text.
A colour is `#rrggbb`; written in capitals it gives off light of its own, and `recolour` leaves it as it is.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Point = tuple[float, float]

AXES = {
    "v": '<linearGradient id="{id}" x1="0" y1="0" x2="0" y2="1">{stops}</linearGradient>',
    "h": '<linearGradient id="{id}" x1="0" y1="0" x2="1" y2="0">{stops}</linearGradient>',
    "b": '<radialGradient id="{id}" cx="0.38" cy="0.3" r="0.85">{stops}</radialGradient>',
    "r": '<radialGradient id="{id}" cx="0.5" cy="0.5" r="0.5">{stops}</radialGradient>',
}
PAINT = re.compile(r"url\(#(([vhbr])((?:-[0-9a-fA-F]{6,8})+))\)")
COLOUR = re.compile(r"(?<=[#-])([0-9a-f]{6})(?=[0-9a-f]{2}[-)]|[-)\"])")
FILLED = re.compile(r'\b(fill|stroke)="(?!none)[^"]*"')
SHEER = re.compile(r' (?:fill-|stroke-)?opacity="[^"]*"')


def number(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, **attributes: str | float) -> str:
    """One empty element; `_` in a name stands for `-`."""
    words = (
        f' {name.replace("_", "-")}="{value if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{''.join(words)}/>"


def path(d: str, fill: str, **more: str | float) -> str:
    return element("path", d=d, fill=fill, **more)


def stroke(d: str, colour: str, width: float, **more: str | float) -> str:
    """A line with round ends and joints."""
    ends = {"stroke_linecap": "round", "stroke_linejoin": "round"}
    return element("path", d=d, fill="none", stroke=colour, stroke_width=width, **{**ends, **more})


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, **more: str | float) -> str:
    return element("ellipse", cx=x, cy=y, rx=rx, ry=ry, fill=fill, **more)


def circle(x: float, y: float, r: float, fill: str, **more: str | float) -> str:
    return element("circle", cx=x, cy=y, r=r, fill=fill, **more)


def rect(x: float, y: float, width: float, height: float, fill: str, r: float = 0, **more: str | float) -> str:
    return element("rect", x=x, y=y, width=width, height=height, rx=r, fill=fill, **more)


def polygon(points: Iterable[Point], fill: str, r: float = 0, **more: str | float) -> str:
    """A closed shape with corners rounded by a stroke of width `2 r` in the same flat colour."""
    d = "M" + "L".join(f"{number(x)},{number(y)}" for x, y in points) + "Z"
    round_off: dict[str, str | float] = {"stroke": fill, "stroke_width": 2 * r, "stroke_linejoin": "round"} if r else {}
    return path(d, fill, **round_off, **more)


def smooth(points: Sequence[Point]) -> str:
    """Path data of a curve through the points (Catmull-Rom), without a closing stroke."""
    d = f"M{number(points[0][0])},{number(points[0][1])}"
    for i in range(len(points) - 1):
        (x0, y0), (x1, y1) = points[max(i - 1, 0)], points[i]
        (x2, y2), (x3, y3) = points[i + 1], points[min(i + 2, len(points) - 1)]
        control = (x1 + (x2 - x0) / 6, y1 + (y2 - y0) / 6, x2 - (x3 - x1) / 6, y2 - (y3 - y1) / 6, x2, y2)
        d += "C" + " ".join(number(value) for value in control)
    return d


def group(markup: str, x: float = 0, y: float = 0, scale: float = 1, turn: float = 0, flip: bool = False) -> str:
    """The markup moved, then scaled, mirrored and turned (degrees, clockwise) about its own origin."""
    across = -scale if flip else scale
    moves = f"translate({number(x)} {number(y)})"
    if turn:
        moves += f" rotate({number(turn)})"
    if scale != 1 or flip:
        moves += f" scale({across:.5f} {scale:.5f})"
    return f'<g transform="{moves}">{markup}</g>'


def turned(markup: str, degrees: float, x: float = 0, y: float = 0) -> str:
    """The markup turned clockwise about a point."""
    return f'<g transform="rotate({number(degrees)} {number(x)} {number(y)})">{markup}</g>' if degrees else markup


def faded(markup: str, opacity: float) -> str:
    return f'<g opacity="{number(opacity)}">{markup}</g>'


def mirrored(markup: str) -> str:
    """The markup and its mirror image about x = 0."""
    return markup + f'<g transform="scale(-1 1)">{markup}</g>'


def clipped(markup: str, outline: str) -> str:
    """The markup within the path data of an outline."""
    name = "clip_" + sha256(outline.encode()).hexdigest()[:12]
    return f'<clipPath id="{name}"><path d="{outline}"/></clipPath><g clip-path="url(#{name})">{markup}</g>'


def paint(axis: str, *colours: str) -> str:
    """A gradient with even stops: axis v(ertical), h(orizontal), b(all, lit from the upper left) or r(ound)."""
    return f"url(#{axis}-{'-'.join(colour.lstrip('#') for colour in colours)})"


def document(width: int, height: int, markup: str) -> str:
    """A whole SVG, with the definition of each gradient that it mentions."""
    seen = {match[1]: (match[2], match[3]) for match in PAINT.finditer(markup)}
    paints = "".join(AXES[axis].format(id=name, stops=_stops(stops)) for name, (axis, stops) in seen.items())
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><defs>{paints}</defs>{markup}</svg>'


def _stops(names: str) -> str:
    colours = names[1:].split("-")
    last = max(len(colours) - 1, 1)
    return "".join(_stop(i / last, colour) for i, colour in enumerate(colours))


def _stop(offset: float, colour: str) -> str:
    opacity = f' stop-opacity="{int(colour[6:], 16) / 255:.3f}"' if len(colour) == 8 else ""
    return f'<stop offset="{number(offset)}" stop-color="#{colour[:6]}"{opacity}/>'


def recolour(markup: str, change: Callable[[str], str]) -> str:
    """The markup with `change` applied to each colour (`#rrggbb` in, `#rrggbb` out) but those that glow."""
    return COLOUR.sub(lambda match: change("#" + match[1])[1:], markup)


def silhouette(markup: str, colour: str) -> str:
    """The markup in one flat, opaque colour without smooth edges: the pixels that it covers."""
    flat = SHEER.sub("", FILLED.sub(rf'\1="{colour}"', markup))
    return f'<g fill="{colour}" shape-rendering="crispEdges">{flat}</g>'
