"""What goes on water, on land and in the air. Base at (0, 0), units of a hundredth of the picture."""

from random import Random

from deployments.image.painter.buildings import window
from deployments.image.painter.palette import DARK_WOOD, darker, lighter, lit, mix, soft
from deployments.image.painter.svg import circle, ellipse, mirrored, paint, path, polygon, rect, stroke, turned


def boat(colour: str, rng: Random) -> str:
    sail = path("M0.8,-21 Q10,-11 9.6,-5.4 L0.8,-5.4Z", paint("h", "#fffdf5", "#ecdfcd")) + path(
        "M-0.8,-18 Q-7,-10 -7,-5.4 L-0.8,-5.4Z", mix(colour, "#fff6e8", 0.55)
    )
    hull = path("M-11,-4 Q0,-2.8 11,-4 Q9.4,1.6 5.6,1.6 L-5.6,1.6 Q-9.4,1.6 -11,-4Z", soft(colour)) + stroke(
        "M-10.6,-3.4 Q0,-2.2 10.6,-3.4", "#fff6e8", 0.7
    )
    return (
        rect(-0.4, -22, 0.9, 19, DARK_WOOD, 0.3)
        + sail
        + polygon([(0.4, -22.4), (3.6, -21.4), (0.4, -20.4)], "#e5605a", 0.2)
        + hull
    )


def car(colour: str, rng: Random) -> str:
    top = path("M-8,-6.6 Q-6.4,-13 -2,-13 L3.4,-13 Q7,-12.6 8.6,-6.6Z", soft(colour))
    glass = path(
        "M-6.2,-7 Q-5,-11.6 -2,-11.6 L-0.4,-11.6 L-0.4,-7Z M0.9,-7 L0.9,-11.6 L3.2,-11.6 Q5.8,-11.3 6.8,-7Z", "#d8eef6"
    )
    body = path(
        "M-13,-2.4 Q-13.6,-7.4 -9,-7.6 L9,-7.6 Q14,-7 14,-2.4 Q14,-1.4 12.6,-1.4 L-11.8,-1.4 Q-13,-1.4 -13,-2.4Z",
        soft(colour),
    )
    wheels = mirrored(circle(7.4, -2, 2.9, "#4b4a55") + circle(7.4, -2, 1.3, "#d7d4d2"))
    return top + glass + body + wheels + circle(12.6, -4.8, 1, "#FFF1B8") + rect(-13, -5.4, 1.2, 1.8, "#e0645a", 0.4)


def train(colour: str, rng: Random) -> str:
    engine = (
        rect(8, -9, 13, 7, paint("v", lighter(colour), darker(colour)), 3)
        + rect(4, -15, 7, 13, colour, 0.8)
        + window(5.4, -12.6, 3.6, 3.6)
    )
    stack = polygon([(15.6, -9), (18, -9), (18.8, -14), (14.8, -14)], "#4f5263", 0.3) + rect(
        3.2, -16, 8.6, 1.6, darker(colour, 0.25), 0.6
    )
    cars = ""
    for i, tone in enumerate(("#f0bd55", "#7db7d8")):
        cars += (
            rect(-9 - 12.4 * i, -12, 11, 10, soft(tone), 1)
            + window(-7.4 - 12.4 * i, -9.8, 3, 3.2)
            + window(-3 - 12.4 * i, -9.8, 3, 3.2)
        )
    wheels = "".join(
        circle(x, -1.9, 1.9, "#4b4a55") + circle(x, -1.9, 0.8, "#cfc9c4")
        for x in (-18.6, -13.6, -6.4, -1.4, 6.4, 12, 17.6)
    )
    return rect(-22, -3.4, 42, 1.3, "#5d6072", 0.5) + cars + engine + stack + wheels


def rocket(colour: str, rng: Random) -> str:
    fins = mirrored(path("M4,-9 Q9.6,-6 8.6,0.6 Q6,-2.6 3.4,-3Z", soft(colour)))
    flame = path("M-2.6,-3 Q-3,2 0,5.6 Q3,2 2.6,-3Z", "#FFB347") + path(
        "M-1.3,-3 Q-1.4,0.6 0,2.8 Q1.4,0.6 1.3,-3Z", "#FFE58A"
    )
    body = path("M-4.6,-3 Q-7,-15 0,-26 Q7,-15 4.6,-3 Q0,-1.6 -4.6,-3Z", paint("h", "#fffdf8", "#f1ece6", "#cfcbd0"))
    nose = path("M-3.6,-18.4 Q-2.2,-22.6 0,-26 Q2.2,-22.6 3.6,-18.4 Q0,-17 -3.6,-18.4Z", colour)
    return flame + fins + body + nose + circle(0, -12.6, 2.7, colour) + circle(0, -12.6, 1.9, "#bfe6f2")


def hot_air_balloon(colour: str, rng: Random) -> str:
    shape = "M0,-32 C12,-32 13,-18 3.4,-8.6 L-3.4,-8.6 C-13,-18 -12,-32 0,-32Z"
    gores = path("M0,-32 C5,-32 5.4,-18 1.6,-8.6 L-1.6,-8.6 C-5.4,-18 -5,-32 0,-32Z", "#fff3dc", opacity=0.9)
    ropes = stroke("M-3,-8.6 L-2,-4 M3,-8.6 L2,-4", DARK_WOOD, 0.4)
    return path(shape, lit(colour)) + gores + ropes + rect(-2.6, -4.4, 5.2, 4.4, "#b5855a", 1)


def balloon(colour: str, rng: Random) -> str:
    string = stroke("M0,0 Q-1.6,-4 0,-8", "#8a7f86", 0.35)
    skin = ellipse(0, -13.6, 4.6, 5.6, lit(colour)) + polygon(
        [(-0.9, -7.5), (0.9, -7.5), (0, -8.4)], darker(colour, 0.1), 0.2
    )
    return string + skin + turned(ellipse(-1.7, -16, 0.9, 1.7, "#ffffff", opacity=0.6), 24, -1.7, -16)


def kite(colour: str, rng: Random) -> str:
    other = lighter(colour, 0.55)
    left, right = (
        polygon([(0, -16), (-5, -10), (0, -3)], colour, 0.3),
        polygon([(0, -16), (5, -10), (0, -3)], other, 0.3),
    )
    low = polygon([(-5, -10), (0, -10), (0, -3)], other, 0.2) + polygon([(5, -10), (0, -10), (0, -3)], colour, 0.2)
    knots = "".join(
        polygon([(x - 1, y - 0.7), (x + 1, y + 0.7), (x + 1, y - 0.7), (x - 1, y + 0.7)], colour, 0.15)
        for x, y in ((1.2, -1), (-0.6, 1.6))
    )
    return turned(stroke("M0,-3 Q3,-1 0,1 Q-2.4,2.6 0,4", "#f6efe2", 0.4) + knots + left + right + low, 22, 0, -8)
