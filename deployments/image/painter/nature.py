"""Plants and stones. Base at (0, 0), units of a hundredth of the picture."""

from random import Random

from deployments.image.painter.palette import NAMED, darker, lighter, lit, mix, soft
from deployments.image.painter.svg import circle, ellipse, group, paint, path, rect, stroke, turned


def tree(colour: str, rng: Random) -> str:
    trunk = path("M-3,0 Q-1.6,-8 -2,-18 L2,-18 Q1.8,-8 3.4,0 Q0,1 -3,0Z", paint("h", "#a5784f", "#7d5a3e"))
    lobes: list[tuple[float, float, float]] = [
        (-8, -20, 8.5),
        (8, -20, 8.5),
        (-5.5, -29, 8.5),
        (6, -29, 8),
        (0, -24, 10),
        (0, -35, 7),
    ]
    lobes = [(x + rng.uniform(-1.2, 1.2), y + rng.uniform(-1, 1), r * rng.uniform(0.9, 1.1)) for x, y, r in lobes]
    under = "".join(circle(x, y + 1, r, darker(colour, 0.14)) for x, y, r in lobes)
    upper = "".join(circle(x - 0.8, y - 1.2, r * 0.86, lit(colour)) for x, y, r in lobes)
    return trunk + under + upper + _specks(rng, 9, 11, -26, lighter(colour, 0.35))


def _specks(rng: Random, count: int, spread: float, y: float, colour: str) -> str:
    dots = ((rng.gauss(0, spread / 2), y + rng.gauss(0, spread / 2.4)) for _ in range(count))
    return "".join(ellipse(x, y, 0.9, 0.6, colour, opacity=0.75) for x, y in dots)


def pine(colour: str, rng: Random, snowy: bool = False) -> str:
    parts = rect(-1.7, -7, 3.4, 7, "#8a6244", 1)
    for i in range(4):
        half, low = 11 - 2.3 * i, -5 - 7.5 * i
        d = f"M0,{low - 13} Q{half * 0.35},{low - 5} {half},{low} Q{half * 0.5},{low + 1.6} 0,{low + 1.8}"
        d += f" Q{-half * 0.5},{low + 1.6} {-half},{low} Q{-half * 0.35},{low - 5} 0,{low - 13}Z"
        parts += path(d, paint("h", lighter(colour, 0.16), colour, darker(colour, 0.18)))
        if snowy:
            tip = f"M0,{low - 13} Q{half * 0.3},{low - 6} {half * 0.55},{low - 3} Q{half * 0.2},{low - 5} 0,{low - 2.5}"
            tip += f" Q{-half * 0.25},{low - 5.5} {-half * 0.55},{low - 3} Q{-half * 0.3},{low - 6} 0,{low - 13}Z"
            parts += path(tip, "#f6fafd")
    return parts


def snowy_pine(colour: str, rng: Random) -> str:
    return pine(colour, rng, snowy=True)


def blossom(colour: str, rng: Random) -> str:
    return tree(mix("#f6b8c8", colour, 0.06), rng)


def palm(colour: str, rng: Random) -> str:
    lean = rng.choice((-1, 1)) * rng.uniform(4, 8)
    trunk = stroke(f"M0,-1 Q{lean * 0.1},-18 {lean},-32", "#b48a5e", 3)
    leaves = "".join(
        turned(path(f"M{lean},-32 q8,-7 17,1 q-9,-2 -17,-1Z", soft(colour)), angle, lean, -32)
        for angle in (-150, -185, -110, -60, -20, 20, 50)
    )
    return trunk + leaves + circle(lean - 1.5, -30.5, 1.6, "#7d5a3e") + circle(lean + 1.4, -30, 1.6, "#8a6244")


def bush(colour: str, rng: Random) -> str:
    lobes = [(-6, -3.5, 4.5), (6, -3.5, 4.5), (0, -5.5, 5.6)]
    return "".join(circle(x, y, r, lit(colour)) for x, y, r in lobes) + rect(-8, -2, 16, 2, darker(colour, 0.1), 1)


def cactus(colour: str, rng: Random) -> str:
    arms = stroke("M0,-8 L-6,-8 Q-7,-8 -7,-13 M0,-11 L6,-11 Q7,-11 7,-16", colour, 3.2)
    lines = stroke("M-1,-18 L-1,-3 M1.2,-17 L1.2,-4", lighter(colour, 0.3), 0.5)
    return stroke("M0,-2 L0,-19", colour, 5) + arms + lines + circle(0, -22, 1.6, "#ee7fa0")


def flower(colour: str, rng: Random) -> str:
    stem = stroke("M0,0 Q0.8,-4 0,-7.5", "#5f9c4f", 0.9) + path("M0.3,-2 Q4,-5 4.4,-2.4 Q2.4,-0.8 0.3,-2Z", "#71ad58")
    petals = "".join(turned(ellipse(0, -10.6, 1.6, 2.3, lit(colour)), 60 * i, 0, -8.3) for i in range(6))
    return stem + petals + circle(0, -8.3, 1.7, "#f6cf5d" if colour != NAMED["yellow"] else "#b9773c")


def small_flower(colour: str, rng: Random) -> str:
    return group(flower(colour, rng), scale=0.8)


def mushroom(colour: str, rng: Random) -> str:
    stem = path("M-2.4,0 Q-1.5,-4 -2,-6 L2,-6 Q1.5,-4 2.4,0 Q0,0.8 -2.4,0Z", paint("v", "#fffaf0", "#ead9c2"))
    cap = path("M-6,-5.5 C-6.5,-13 6.5,-13 6,-5.5 Q0,-3.4 -6,-5.5Z", lit(colour))
    return (
        stem
        + cap
        + circle(-2.5, -8.4, 1.1, "#fff6ea")
        + circle(1.6, -9.6, 0.9, "#fff6ea")
        + circle(3.3, -6.8, 0.9, "#fff6ea")
    )


def rock(colour: str, rng: Random) -> str:
    body = path("M-8,0 C-9,-4 -5,-8.5 -1,-8 C3,-9 8,-5 8,0 Q0,1.2 -8,0Z", paint("b", "#d8d4cf", "#b3aeac", "#8d8a92"))
    return body + path("M-6,0 Q-5,-2.4 -2,-2.2 Q1,-2.4 1.6,0.4Z", "#97a878", opacity=0.7)
