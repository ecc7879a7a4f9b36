"""Sun, moon, stars, planets and clouds. Base at (0, 0), units of a hundredth of the picture."""

from math import cos, pi, sin
from random import Random

from deployments.image.painter.palette import darker, lighter, lit
from deployments.image.painter.svg import circle, ellipse, paint, path, polygon, rect, stroke, turned


def sun(colour: str, rng: Random) -> str:
    return circle(0, -7, 7, paint("r", "#FFF6C9", "#FFE994", "#FFD76A"))


def moon(colour: str, rng: Random) -> str:
    if rng.random() < 0.55:
        crescent = path(
            "M2.4,-13.8 A7,7 0 1,0 6.6,-4.4 A5.9,5.9 0 0,1 2.4,-13.8Z", paint("b", "#FFF9DC", "#FBE9AC", "#EFD58A")
        )
        return crescent
    craters = circle(-2, -9, 1.3, "#EBD9A0") + circle(2.4, -5, 1.7, "#EBD9A0") + circle(2, -10.6, 0.8, "#EBD9A0")
    return circle(0, -7, 6.6, paint("b", "#FFFBE6", "#FBEDBB", "#F0DA98")) + craters


def star_shape(x: float, y: float, r: float, colour: str) -> str:
    """A five-pointed star with round corners."""
    ends = [(r * (1 if i % 2 == 0 else 0.5), pi * i / 5 - pi / 2) for i in range(10)]
    return polygon([(x + length * cos(angle), y + length * sin(angle)) for length, angle in ends], colour, r * 0.18)


def star(colour: str, rng: Random) -> str:
    return turned(star_shape(0, -2, 2, "#FFE9A0"), rng.uniform(-14, 14), 0, -2)


def cloud(colour: str, rng: Random) -> str:
    width = rng.uniform(9, 13)
    lobes = [(-width * 0.55, -3, 3.2), (-width * 0.2, -5, 4.6), (width * 0.25, -4.4, 4), (width * 0.62, -2.6, 2.6)]
    lobes = [(x, y + rng.uniform(-0.6, 0.6), r * rng.uniform(0.9, 1.12)) for x, y, r in lobes]
    shade = "".join(circle(x + 0.3, y + 0.6, r, "#d9e6f0") for x, y, r in lobes) + rect(
        -width, -4, 2 * width, 4.4, "#d9e6f0", 2.2
    )
    puffs = "".join(circle(x - 0.3, y - 0.2, r * 0.94, paint("v", "#ffffff", "#f5f9fc")) for x, y, r in lobes)
    return shade + puffs + rect(-width + 0.8, -3.8, 2 * width - 2, 3.2, "#f5f9fc", 1.6)


def planet(colour: str, rng: Random) -> str:
    sphere = circle(0, -7, 6, lit(colour)) + ellipse(-1.6, -9, 1.8, 0.8, lighter(colour, 0.4), opacity=0.6)
    ring = stroke("M-9.6,-5.4 Q0,-2.4 9.6,-8.6", "#f3deb0", 1) + stroke(
        "M-9.6,-5.4 Q-10.6,-6.6 -6,-8.6 M9.6,-8.6 Q10,-10 5.6,-9.8", "#f3deb0", 0.7
    )
    return sphere + (ring if rng.random() < 0.6 else circle(2, -5, 1.2, darker(colour, 0.1)))
