"""Houses and what stands beside them. Base at (0, 0), units of a hundredth of the picture."""

from random import Random

from deployments.image.painter.palette import DARK_WOOD, LAMP, STEEL, WOOD, darker, lighter, mix, soft
from deployments.image.painter.svg import circle, clipped, group, mirrored, paint, path, polygon, rect, stroke, turned


def fence(colour: str, rng: Random) -> str:
    wood = "#f5ece0" if rng.random() < 0.6 else "#c99e70"
    posts = "".join(path(f"M{x},0 v-7.6 l1.4,-1.7 l1.4,1.7 v7.6Z", soft(wood)) for x in (-12, -6.6, -1.4, 3.8, 9.2))
    return rect(-13.5, -6.4, 27, 1.5, darker(wood, 0.1), 0.6) + rect(-13.5, -3, 27, 1.5, darker(wood, 0.1), 0.6) + posts


def house(colour: str, rng: Random) -> str:
    wall, roof = mix("#fbf0dc", colour, rng.uniform(0.12, 0.3)), colour
    body = rect(-11, -15, 22, 15, paint("v", lighter(wall, 0.2), darker(wall, 0.07)), 0.6)
    chimney = rect(4.6, -25, 3.4, 8, "#b9705a", 0.3) + rect(4, -25.6, 4.6, 1.5, "#9d5c4a", 0.3)
    top = path(
        "M-13.6,-14 L-1.4,-25 Q0,-26 1.4,-25 L13.6,-14 Q13.4,-13 12,-13 L-12,-13 Q-13.4,-13 -13.6,-14Z", soft(roof)
    )
    door = path("M-2.6,0 v-6.5 q2.6,-3.4 5.2,0 v6.5Z", darker(WOOD, 0.1)) + circle(1.5, -3.4, 0.4, "#f3d27c")
    shades = window(-8.6, -10.4) + window(4.6, -10.4) + circle(0, -17.8, 1.9, LAMP, stroke="#fff8ea", stroke_width=0.6)
    return chimney + body + top + door + shades


def window(x: float, y: float, width: float = 4, height: float = 4.6) -> str:
    pane = rect(x, y, width, height, LAMP, 0.5, stroke="#fff8ea", stroke_width=0.7)
    return pane + stroke(f"M{x + width / 2},{y} v{height} M{x},{y + height / 2} h{width}", "#fff8ea", 0.4)


def castle(colour: str, rng: Random) -> str:
    wall = mix("#f0e3dc", colour, 0.12)
    fill = paint("h", lighter(wall, 0.2), wall, darker(wall, 0.12))
    tower = rect(9, -22, 7, 22, fill) + rect(8.3, -23.5, 8.4, 2.6, darker(wall, 0.08), 0.4)
    spire = polygon([(8.6, -23.6), (16.4, -23.6), (12.5, -33)], colour, 0.4) + stroke("M12.5,-33 v-4", STEEL, 0.4)
    flag = polygon([(12.5, -37), (16, -36), (12.5, -35)], "#f2b84b", 0.2)
    sides = mirrored(tower + spire + rect(11.6, -17, 1.9, 3.4, LAMP, 0.9)) + flag
    merlons = "".join(rect(x, -20.5, 2.4, 3, wall, 0.2) for x in (-7.6, -3.6, 1, 5))
    keep = (
        merlons
        + rect(-8.5, -18, 17, 18, fill)
        + rect(-4, -31, 8, 14, fill)
        + rect(-4.8, -32, 9.6, 2.4, darker(wall, 0.08), 0.4)
    )
    roof = polygon([(-4.8, -32), (4.8, -32), (0, -43)], colour, 0.4) + rect(-1, -27, 2, 4, LAMP, 1)
    gate = path("M-3.4,0 v-7 q3.4,-5 6.8,0 v7Z", DARK_WOOD) + window(-7, -13, 2, 3) + window(5, -13, 2, 3)
    return keep + roof + sides + gate


def lighthouse(colour: str, rng: Random) -> str:
    shape = "M-5,0 L-3.2,-28 L3.2,-28 L5,0 Q0,1.2 -5,0Z"
    bands = "".join(rect(-6, y, 12, 5, colour) for y in (-6, -16, -26))
    shade = rect(1.4, -30, 5, 31, "#5b4a66", opacity=0.16)
    tower = path(shape, "#fbf5ea") + clipped(bands + shade, shape)
    lamp = rect(-4.4, -29.4, 8.8, 1.8, "#5f5f6e", 0.5) + rect(-2.6, -34, 5.2, 4.8, "#FFE9A6", 0.4)
    return (
        tower
        + lamp
        + path("M-3.6,-33.8 Q0,-40 3.6,-33.8Z", colour)
        + path("M-1.4,0 v-3.6 q1.4,-1.8 2.8,0 v3.6Z", DARK_WOOD)
        + window(-0.8, -12.6, 1.6, 2.2)
    )


def windmill(colour: str, rng: Random) -> str:
    body = path("M-7,0 L-4.4,-20 L4.4,-20 L7,0Z", paint("h", "#fffaf0", "#e2d3c0")) + path(
        "M-5.4,-19.6 Q0,-30 5.4,-19.6Z", soft(colour)
    )
    sail = (
        rect(-0.4, -16, 0.8, 16, DARK_WOOD)
        + rect(0.4, -15.6, 3.6, 12, "#fbf3e2", 0.3)
        + stroke("M0.4,-11.6 h3.6 M0.4,-7.6 h3.6", "#cdb99c", 0.3)
    )
    turn = rng.uniform(10, 40)
    sails = "".join(turned(group(sail, 0, -22), turn + 90 * i, 0, -22) for i in range(4))
    return (
        body
        + path("M-2,0 v-5 q2,-2.4 4,0 v5Z", DARK_WOOD)
        + window(-1.4, -12.5, 2.8, 3.2)
        + sails
        + circle(0, -22, 1.2, WOOD)
    )


def tent(colour: str, rng: Random) -> str:
    cloth, way_in = [(-12.0, 0.0), (12.0, 0.0), (0.0, -16.0)], [(-4.6, 0.0), (4.6, 0.0), (0.0, -13.0)]
    flap = polygon([(0, -14), (-4.8, 0), (-8, 0)], lighter(colour, 0.45)) + stroke("M0,-16 v-3", DARK_WOOD, 0.6)
    return polygon(cloth, colour, 0.6) + polygon(way_in, darker(colour, 0.45)) + flap


def bridge(colour: str, rng: Random) -> str:
    deck = path(
        "M-22,0 L-22,-3 Q0,-15 22,-3 L22,0 L13,0 C12,-8 -12,-8 -13,0Z",
        soft("#c3b3a4" if rng.random() < 0.5 else "#c08a5c"),
    )
    posts = ((x, -4.5 - 6 * (1 - (x / 22) ** 2)) for x in (-19, -11, -3.6, 3.6, 11, 19))
    rail = stroke("M-22,-7 Q0,-19 22,-7", "#a97c55", 1)
    rail += "".join(stroke(f"M{x},{y} v-4", "#a97c55", 0.9) for x, y in posts)
    return rail + deck


def bench(colour: str, rng: Random) -> str:
    legs = mirrored(rect(6.4, -4, 1.3, 4, "#6a6470", 0.3))
    return (
        legs
        + rect(-10, -5, 20, 1.6, WOOD, 0.6)
        + rect(-10, -8, 20, 1.4, WOOD, 0.6)
        + rect(-10, -10.4, 20, 1.4, lighter(WOOD, 0.1), 0.6)
    )


def lamp(colour: str, rng: Random) -> str:
    post = rect(-0.7, -22, 1.4, 22, "#5d6072", 0.5) + rect(-2, -1.4, 4, 1.4, "#4f5263", 0.5)
    head = polygon([(-2.2, -23), (2.2, -23), (2.9, -28), (-2.9, -28)], "#FFE6A0", 0.3) + path(
        "M-3.8,-28 Q0,-33 3.8,-28Z", "#4f5263"
    )
    return post + head + rect(-2.8, -23.4, 5.6, 1.1, "#4f5263", 0.4)
