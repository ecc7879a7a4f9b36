"""Tails, wings, shells and spines: what is behind a body with its feet at (0, 0)."""

from math import cos, pi, sin

from deployments.image.painter.palette import darker, lighter, lit, mix
from deployments.image.painter.svg import circle, clipped, ellipse, group, mirrored, path, polygon, rect, stroke, turned


def tail(kind: str, coat: str, tip: str) -> str:
    """The tail, behind the body, to the right."""
    swirl = "M10,-12 C36,-4 48,-16 44,-34 C42,-44 36,-48 34,-52"
    thick = path(
        "M8,-14 C24,4 50,-2 52,-24 C53,-38 44,-44 40,-52 C34,-44 26,-38 28,-28 C29,-20 20,-20 8,-20Z", lit(coat)
    )
    drawn = {
        "long": stroke(swirl, coat, 7),
        "whip": stroke(swirl, "#e3a6a6", 3.4),
        "tassel": stroke("M10,-12 C30,-4 38,-12 37,-24", coat, 4)
        + turned(ellipse(37, -29, 5, 8, darker(coat, 0.4)), 12, 37, -29),
        "up": stroke("M12,-14 Q30,-16 33,-34", coat, 8),
        "puff": circle(22, -13, 8.5, lit(lighter(coat, 0.25))),
        "curl": stroke("M18,-16 Q26,-14 27,-20 Q27,-26 22,-25 Q18,-22 25,-18 Q31,-16 33,-20", darker(coat, 0.06), 3),
        "bushy": thick
        + path("M40,-52 C34,-44 26,-40 28,-31 Q34,-36 38,-33 Q44,-38 50,-34 C50,-42 44,-45 40,-52Z", tip),
        "plume": path(
            "M8,-8 C44,8 62,-24 46,-44 C40,-60 54,-66 46,-74 C26,-76 18,-52 27,-38 C30,-26 20,-18 8,-20Z", lit(coat)
        ),
        "flick": polygon([(14, -18), (34, -32), (30, -14)], darker(coat, 0.05), 3),
        "fan": "".join(
            turned(ellipse(20, -36, 6.5, 17, darker(coat, 0.1 + 0.1 * i)), 18 + 24 * i, 16, -18) for i in range(3)
        ),
        "dino": path("M4,-26 C24,-18 40,-14 58,-26 C54,-4 30,6 2,-4Z", lit(coat)),
    }
    if kind == "ringed":
        rings = "".join(turned(rect(24, -50 + 11 * i, 34, 5.5, darker(coat, 0.45)), -12, 40, -30) for i in range(5))
        return thick + clipped(
            rings, "M8,-14 C24,4 50,-2 52,-24 C53,-38 44,-44 40,-52 C34,-44 26,-38 28,-28 C29,-20 20,-20 8,-20Z"
        )
    return drawn.get(kind, "")


def back(extra: str, coat: str) -> str:
    """What is seen behind head and body: wings, spines, shell, plates."""
    if extra == "wings":
        wing = "M12,-42 C24,-66 46,-72 60,-66 Q54,-58 57,-50 Q48,-50 47,-41 Q38,-43 35,-34 Q24,-34 12,-34Z"
        return mirrored(path(wing, lit(mix(coat, "#f6d98a", 0.45))))
    if extra == "spines":
        points = [(r * x, r * y) for r, x, y in _burst(26, 40, 46)]
        return group(polygon(points, "#7b5b48", 1.5), 0, -60) + ellipse(0, -30, 33, 30, "#7b5b48")
    if extra == "shell":
        return ellipse(0, -30, 35, 29, lit("#a9794f")) + ellipse(0, -30, 28, 22, lit("#c19363"))
    if extra == "plates":
        colour = mix(coat, "#e8924e", 0.7)
        return "".join(
            turned(polygon([(-7, -95), (0, -107), (7, -95)], colour, 2), 24 * i, 0, -70) for i in (-2, -1, 0, 1, 2)
        )
    return ""


def _burst(count: int, short: float, long: float) -> list[tuple[float, float, float]]:
    return [(long if i % 2 else short, cos(pi * i / count), sin(pi * i / count)) for i in range(2 * count)]
