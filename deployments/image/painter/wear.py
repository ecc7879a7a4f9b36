"""What figures wear, in the figure's units: feet at (0, 0), neck at -47, the head's centre at -70."""

from deployments.image.painter.palette import darker, lighter, soft
from deployments.image.painter.svg import circle, ellipse, mirrored, path, polygon, rect, stroke

TORSO = "M-14,-50 C-25,-40 -27,-12 -17,-6 Q0,-1 17,-6 C27,-12 25,-40 14,-50Z"


def dress(colour: str) -> str:
    """A bell with a hem, over the body."""
    bell = "M-13,-51 C-19,-42 -25,-24 -29,-13 Q-20,-7 -10,-10 Q0,-6 10,-10 Q20,-7 29,-13 C25,-24 19,-42 13,-51Z"
    hem = stroke("M-28,-14.5 Q-20,-9 -10,-12 Q0,-8 10,-12 Q20,-9 28,-14.5", lighter(colour, 0.4), 1.8)
    return path(bell, soft(colour)) + hem + "".join(circle(0, y, 1.3, lighter(colour, 0.6)) for y in (-38, -31))


def shirt(colour: str) -> str:
    top = "M-14,-50 C-21,-43 -25,-30 -24.5,-19 Q0,-13 24.5,-19 C25,-30 21,-43 14,-50Z"
    return path(top, soft(colour)) + stroke("M-24,-20.5 Q0,-14.5 24,-20.5", darker(colour, 0.18), 1.6)


def blouse(colour: str) -> str:
    """A shirt for people."""
    top = "M-11,-52 C-17,-48 -19,-36 -18,-22 Q0,-17 18,-22 C19,-36 17,-48 11,-52Z"
    return path(top, soft(colour)) + stroke("M-17.5,-24 Q0,-19 17.5,-24", darker(colour, 0.16), 1.6)


def gown(colour: str) -> str:
    """A dress for people."""
    bell = "M-10,-52 C-15,-44 -19,-30 -27,-16 Q-18,-11 -9,-14 Q0,-10 9,-14 Q18,-11 27,-16 C19,-30 15,-44 10,-52Z"
    hem = stroke("M-26,-17.5 Q-18,-13 -9,-16 Q0,-12 9,-16 Q18,-13 26,-17.5", lighter(colour, 0.4), 1.8)
    return path(bell, soft(colour)) + hem + "".join(circle(0, y, 1.2, lighter(colour, 0.65)) for y in (-39, -33))


def trousers(colour: str) -> str:
    low = "M-24.5,-24 Q0,-18 24.5,-24 C25,-14 22,-8 17,-5 L3,-5 L0,-10 L-3,-5 L-17,-5 C-22,-8 -25,-14 -24.5,-24Z"
    straps = mirrored(stroke("M9,-48 L11,-22", darker(colour, 0.05), 4))
    return path(low, soft(colour)) + straps + mirrored(circle(11, -24, 1.4, "#f7e7b0"))


def scarf(colour: str) -> str:
    """Around the neck, one end hanging."""
    end = path("M8,-45 L19,-42 Q20,-30 17,-20 Q12,-18 8,-21 Q10,-32 8,-45Z", soft(colour))
    fringe = stroke("M9.5,-21 L9,-17 M13,-20 L13,-16 M16.5,-21 L17,-17", darker(colour, 0.08), 1.6)
    stripes = stroke("M9.6,-30 L18.6,-28.5 M9.4,-26 L18,-24.5", lighter(colour, 0.45), 1.7)
    band = path("M-19,-50 Q0,-41 19,-50 Q23,-45 19,-40 Q0,-32 -19,-40 Q-23,-45 -19,-50Z", soft(colour))
    return fringe + end + stripes + band + stroke("M-17,-45 Q0,-37 17,-45", lighter(colour, 0.25), 1.4)


def cape(colour: str) -> str:
    """Behind the body."""
    return path("M-16,-50 C-34,-34 -40,-14 -39,-4 Q-20,4 0,-2 Q20,4 39,-4 C40,-14 34,-34 16,-50Z", soft(colour))


def knot(colour: str) -> str:
    """What holds the cape in front."""
    return stroke("M-17,-48 Q0,-40 17,-48", colour, 4.5) + circle(0, -43.5, 3.2, "#f4cf6a")


def backpack(colour: str) -> str:
    """Behind the body, showing at both sides."""
    return rect(-30, -51, 60, 42, soft(colour), 13) + rect(-30, -51, 60, 12, darker(colour, 0.12), 6)


def straps(colour: str) -> str:
    return mirrored(stroke("M11,-50 Q18,-40 16,-24", darker(colour, 0.08), 4.6))


def hat(colour: str) -> str:
    """A knitted cap with a bobble, on the head as (0, 0)."""
    cap = path("M-20,-17 C-20,-42 20,-42 20,-17Z", soft(colour))
    band = rect(-22.5, -21.5, 45, 8.5, lighter(colour, 0.25), 4.2)
    ribs = "".join(stroke(f"M{x},-20 L{x},-15.5", colour, 1.2) for x in range(-16, 17, 8))
    return circle(0, -38, 6.5, lighter(colour, 0.45)) + cap + band + ribs


def straw_hat(colour: str) -> str:
    straw = "#eccb85"
    crown = path("M-16,-20 C-16,-42 16,-42 16,-20Z", soft(straw))
    brim = ellipse(0, -19, 33, 7.5, soft(straw))
    return brim + crown + path("M-16.3,-25 Q0,-19 16.3,-25 L16.3,-20.5 Q0,-14 -16.3,-20.5Z", colour)


def crown(colour: str) -> str:
    gold = "#f3c64b"
    teeth = [(-15, -19), (-17, -36), (-8, -27), (0, -40), (8, -27), (17, -36), (15, -19)]
    jewels = circle(0, -24.5, 2.4, colour) + mirrored(circle(9, -24, 1.8, colour))
    return polygon(teeth, gold, 1.6) + rect(-16, -21, 32, 4.5, darker(gold, 0.12), 2) + jewels


def bow(colour: str) -> str:
    half = path("M0,0 C5,-9 15,-10 15,-5 L15,5 C15,10 5,9 0,0Z", soft(colour))
    return f'<g transform="translate(16 -23) rotate(18)">{mirrored(half)}{circle(0, 0, 3.4, darker(colour, 0.12))}</g>'


def glasses(colour: str) -> str:
    frame = darker(colour, 0.25)
    lens = circle(11.5, -1, 8, "#ffffff", opacity=0.22) + ring(11.5, -1, 8, frame)
    return mirrored(lens) + stroke("M-3.5,-2 Q0,-4 3.5,-2", frame, 1.8)


def ring(x: float, y: float, r: float, colour: str) -> str:
    """A thin ring."""
    return circle(x, y, r, "none", stroke=colour, stroke_width=1.8)
