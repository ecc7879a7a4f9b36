"""Things to hold, to give and to gather round. Base at (0, 0), units of a hundredth of the picture."""

from random import Random

from deployments.image.painter.palette import DARK_WOOD, darker, lighter, lit, soft
from deployments.image.painter.svg import circle, clipped, ellipse, mirrored, paint, path, polygon, rect, stroke, turned


def lantern(colour: str, rng: Random) -> str:
    glow = paint("r", "#FFF3B8", "#FFC766", colour)
    body = ellipse(0, -5.4, 4.2, 4.4, glow) + stroke(
        "M0,-9.6 V-1.2 M-2.2,-9 Q-3.6,-5.4 -2.2,-1.8 M2.2,-9 Q3.6,-5.4 2.2,-1.8", darker(colour, 0.2), 0.3
    )
    caps = rect(-2, -10.2, 4, 1.2, "#b3812f", 0.4) + rect(-2, -1.6, 4, 1.1, "#b3812f", 0.4)
    return (
        stroke("M0,-10 v-3", "#8a6244", 0.4)
        + body
        + caps
        + stroke("M0,-0.6 v2.2 M-0.8,-0.6 v1.7 M0.8,-0.6 v1.7", "#e5a23c", 0.3)
    )


def umbrella(colour: str, rng: Random) -> str:
    top = path(
        "M-15,-22 C-14,-36 14,-36 15,-22 Q12.5,-24 10,-22 Q7.5,-24 5,-22"
        " Q2.5,-24 0,-22 Q-2.5,-24 -5,-22 Q-7.5,-24 -10,-22 Q-12.5,-24 -15,-22Z",
        lit(colour),
    )
    ribs = stroke("M0,-32.4 Q-4.6,-29 -5,-22 M0,-32.4 Q4.6,-29 5,-22", darker(colour, 0.14), 0.4)
    return stroke("M0,-34 V-1 q0,2 2,2 q1.6,0 1.6,-1.6", DARK_WOOD, 0.9) + top + ribs


def book(colour: str, rng: Random) -> str:
    cover = path("M-7,-6.6 L0,-5.4 L7,-6.6 L7,0 L0,1.2 L-7,0Z", colour)
    pages = mirrored(path("M0,-5.8 Q3.2,-8 6.3,-7 L6.3,-1 Q3.2,-1.9 0,0Z", paint("h", "#efe3cf", "#fffaf0")))
    return cover + pages + mirrored(stroke("M1.4,-4.6 Q3.2,-5.8 5,-5.4 M1.4,-2.9 Q3.2,-4 5,-3.7", "#b9ab97", 0.4))


def cake(colour: str, rng: Random) -> str:
    low = rect(-7, -6, 14, 6, paint("v", "#fbe7c9", "#e9bf8f"), 1) + rect(
        -5, -10.6, 10, 5, paint("v", "#fff4e4", "#f1cf9f"), 1
    )
    icing = path(
        "M-7,-5 q1,2.8 2.4,0.6 q1.2,2.6 2.4,0 q1.2,2.6 2.4,0 q1.2,2.6 2.4,0"
        " q1.4,2.4 2.4,0.6 q1.4,1.4 2,-1.2 q0,-1.6 -1.4,-1.6 h-11.2 q-1.4,0 -1.4,1.6Z",
        colour,
    )
    candles = "".join(
        rect(x - 0.35, -13.6, 0.7, 3, "#7fb7d8", 0.2) + ellipse(x, -14.6, 0.6, 1, "#FFB84D") for x in (-2.8, 0, 2.8)
    )
    return ellipse(0, 0, 9.4, 1.3, "#e9e3ea") + low + icing + candles + circle(0, -10.8, 0.9, "#e2524c")


def gift(colour: str, rng: Random) -> str:
    band = lighter(colour, 0.65)
    loops = mirrored(turned(ellipse(2.2, -9.2, 2.2, 1.2, "none", stroke=band, stroke_width=0.8), -24, 0, -8))
    return (
        rect(-5, -6.4, 10, 6.4, soft(colour), 0.6)
        + rect(-5.6, -8, 11.2, 2.4, lighter(colour, 0.12), 0.5)
        + rect(-0.9, -8, 1.8, 8, band)
        + loops
    )


def ball(colour: str, rng: Random) -> str:
    outline = "M-4,-4 a4,4 0 1,0 8,0 a4,4 0 1,0 -8,0Z"
    bands = stroke("M-5,-6 Q0,-3 5,-6 M-5,-2 Q0,1 5,-2", "#fff6e6", 1.3)
    return circle(0, -4, 4, lit(colour)) + clipped(bands, outline)


def apple(colour: str, rng: Random) -> str:
    skin = path(
        "M0,-5.6 C2,-7.2 5,-6 4.6,-2.8 C4.4,-0.6 2.4,0.4 0,-0.2 C-2.4,0.4 -4.4,-0.6 -4.6,-2.8 C-5,-6 -2,-7.2 0,-5.6Z",
        lit(colour),
    )
    return (
        skin
        + stroke("M0,-5.6 Q0.2,-7.4 1,-8", DARK_WOOD, 0.6)
        + path("M0.6,-7 Q3,-9.4 4.4,-7.6 Q2.8,-6 0.6,-7Z", "#77b255")
    )


def snowman(colour: str, rng: Random) -> str:
    snow = paint("b", "#ffffff", "#f6fafd", "#cfdfec")
    body = (
        circle(0, -7, 7.6, snow)
        + circle(0, -18, 5.6, snow)
        + rect(-5, -14.6, 10, 2.2, colour, 1)
        + rect(2, -14, 2.2, 6, colour, 0.8)
    )
    face = mirrored(circle(1.9, -19, 0.7, "#43404c")) + polygon([(0, -18), (0, -16.8), (4.4, -17)], "#ee8a3c", 0.2)
    arms = mirrored(stroke("M6.6,-9 L12,-14 M10.4,-12.4 L10.8,-15", DARK_WOOD, 0.7))
    hat = (
        rect(-5, -23.4, 10, 1.3, "#4b4a58", 0.4)
        + rect(-3.4, -28, 6.8, 5, "#4b4a58", 0.5)
        + rect(-3.4, -24.6, 6.8, 1.2, colour)
    )
    return arms + body + face + hat + "".join(circle(0, y, 0.6, "#43404c") for y in (-10, -7, -4))


def campfire(colour: str, rng: Random) -> str:
    logs = turned(rect(-7, -2.2, 14, 2.4, DARK_WOOD, 1), 9) + turned(rect(-7, -2.2, 14, 2.4, "#9c7050", 1), -9)
    flame = path("M-4.4,-1.4 C-6.4,-7 -1.4,-8 -0.6,-14 C3,-10 6.4,-7 4.4,-1.4Z", "#F58A3C") + path(
        "M-2.4,-1.4 C-3.4,-5 -0.4,-5.6 0,-9.4 C2,-6.6 3.6,-4.6 2.4,-1.4Z", "#FFD45E"
    )
    return flame + logs


def fishing_rod(colour: str, rng: Random) -> str:
    rod = stroke("M-3,3 Q14,-16 27,-20", DARK_WOOD, 0.9) + stroke("M27,-20 Q28,-8 27.4,6", "#f2f0ea", 0.25)
    return rod + circle(27.4, 7, 1.1, "#e2564c") + path("M26.3,7 a1.1,1.1 0 0,0 2.2,0Z", "#fff8ee")
