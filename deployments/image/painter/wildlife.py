"""Small animals of air and water. Base at (0, 0), units of a hundredth of the picture."""

from random import Random

from deployments.image.painter.palette import darker, lighter, lit
from deployments.image.painter.svg import circle, ellipse, mirrored, path, polygon, rect, stroke, turned


def butterfly(colour: str, rng: Random) -> str:
    wings = (
        ellipse(2.6, -4.4, 2.6, 2.2, lit(colour))
        + ellipse(2.1, -1.5, 1.8, 1.6, lighter(colour, 0.25))
        + circle(3, -4.4, 0.8, "#fff3da")
    )
    feelers = mirrored(stroke("M0,-4.8 Q0.6,-6.6 1.6,-7", "#5a4a50", 0.25))
    return turned(mirrored(wings) + rect(-0.4, -5, 0.8, 5, "#5a4a50", 0.4) + feelers, rng.uniform(-18, 18), 0, -3)


def bird(colour: str, rng: Random) -> str:
    tail = polygon([(-5, -3.4), (-9.4, -5.4), (-8.6, -2.2)], darker(colour, 0.12), 0.3)
    body = path("M-6,-3.6 C-4,-8.4 3,-8.8 5,-5 C6,-1.4 0,0 -2,-0.4 C-4,-0.8 -6,-2 -6,-3.6Z", lit(colour))
    wing = path("M-2.6,-4.2 C-2,-9.6 -6.6,-10.6 -7.6,-10.4 C-7,-7 -6,-3.6 -1,-3Z", darker(colour, 0.14))
    front = ellipse(1.6, -2.6, 2.8, 1.9, lighter(colour, 0.6)) + polygon(
        [(5, -5.4), (7.6, -4.6), (5, -4)], "#f0a243", 0.2
    )
    return tail + body + front + wing + circle(3, -5.8, 0.6, "#3b3340")


def bee(colour: str, rng: Random) -> str:
    wings = turned(ellipse(-0.8, -6, 1.6, 2.6, "#eaf4fa", opacity=0.9), -22, 0, -4) + turned(
        ellipse(1.2, -6, 1.6, 2.6, "#f5fafc", opacity=0.9), 22, 0, -4
    )
    body = ellipse(0, -2.6, 3.6, 2.5, "#f7cb4d") + stroke("M-0.9,-4.7 v4.2 M1.1,-4.6 v4", "#4b4248", 0.9)
    return wings + body + circle(-2.5, -3, 0.45, "#3b3340")


def fish(colour: str, rng: Random) -> str:
    tail = path("M4.4,-3.6 L9,-7 Q8,-3.6 9,-0.4Z", darker(colour, 0.1))
    body = path("M-7,-3.4 C-4,-8.4 3,-7.6 5.4,-3.6 C3,0.6 -4,1 -7,-3.4Z", lit(colour))
    fin = path("M-1,-6.9 Q1.6,-9.6 3,-6Z", darker(colour, 0.08)) + path(
        "M-0.4,-2.8 Q2.2,-2.6 1.8,-0.4 Q-0.2,-0.8 -0.4,-2.8Z", lighter(colour, 0.3)
    )
    stripes = stroke("M0.8,-6.6 Q2.2,-3.6 0.8,-0.8", lighter(colour, 0.5), 0.7)
    return tail + fin + body + stripes + circle(-4.2, -4.2, 0.75, "#ffffff") + circle(-4.3, -4.2, 0.5, "#3b3340")


def whale(colour: str, rng: Random) -> str:
    blue = "#6f9fc6"
    body = path(
        "M-14,-4 C-13,-13 4,-14 9,-6 Q11,-4 13.6,-6 Q12.6,-11 17,-12.6"
        " Q17,-10 19,-9.6 Q18,-2 11,0.6 C4,2 -12,2.4 -14,-4Z",
        lit(blue),
    )
    belly = path("M-14,-3.6 C-8,-1 2,-1 8,-1.8 C4,1.8 -12,2.4 -14,-3.6Z", "#e9f2f6")
    spout = stroke("M-4,-12 V-16 M-4,-16 Q-4.6,-19 -8,-18 M-4,-16 Q-3.4,-19 0,-18", "#cfeaf5", 0.9)
    return (
        spout
        + body
        + belly
        + circle(-9, -4.8, 0.7, "#3b3340")
        + stroke("M-12.6,-3 Q-10.4,-1.6 -8.6,-2.6", "#47607c", 0.4)
    )
