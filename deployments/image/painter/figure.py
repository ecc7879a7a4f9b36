"""A whole figure: limbs, body, clothes and head in one order, the same for animals, people and robots."""

from dataclasses import dataclass
from random import Random

from deployments.image.painter import faces, heads, people, tails, wear
from deployments.image.painter.faces import BLUSH
from deployments.image.painter.looks import clothes, colours, extent
from deployments.image.painter.palette import NAMED, darker, lighter, lit, mix
from deployments.image.painter.scene import Figure, Look
from deployments.image.painter.species import SPECIES
from deployments.image.painter.svg import Point, circle, clipped, ellipse, group, mirrored, path, rect, stroke, turned


@dataclass(frozen=True)
class Sketch:
    """Markup in units, feet at (0, 0); its height, its half width, and where the hands are (left, right)."""

    markup: str
    top: float
    half: float
    hands: tuple[Point, Point]


def sketch(figure: Figure, holds: bool = False) -> Sketch:
    """The figure drawn in front view; `holds` lifts the right hand for something in it."""
    look = figure.look
    person = people.PEOPLE.get(look.species)
    top, half = extent(look)
    pose = "hold" if holds and figure.pose != "sleep" else figure.pose
    hands = HANDS.get(pose, HANDS["stand"])
    wears = dict(clothes(look))
    head = _person_head(figure, wears) if person else _animal_head(figure, wears)
    lift = -7 if pose in SEATED else 0
    upper = _behind(look, wears) + _body(look, wears) + _arms(look, wears, hands) + _neck(wears)
    upper += group(turned(head, TILT.get(pose, 0), 0, 20), 0, -70)
    seat = group(upper, 0, -lift * 0.6) + _feet(look, wears, pose) if lift else _feet(look, wears, pose) + upper
    tall = person.tall if person else 1.0
    markup = group(turned(seat, 7, 0, 0) if pose == "run" else seat, scale=tall)
    moved = tuple((x * tall, (y - lift * 0.6) * tall) for x, y in hands)
    return Sketch(markup, top * tall, half * tall, (moved[0], moved[1]))


SEATED = frozenset({"sit", "sleep", "fish", "read"})
TILT = {"sleep": 9, "wave": -4, "sit": 3, "run": -3}
HANDS: dict[str, tuple[Point, Point]] = {
    "stand": ((-27, -22), (27, -22)),
    "sit": ((-21, -17), (21, -17)),
    "sleep": ((-12, -16), (12, -16)),
    "wave": ((-27, -22), (37, -60)),
    "run": ((-31, -34), (31, -26)),
    "hold": ((-27, -22), (34, -36)),
    "fish": ((-14, -26), (33, -34)),
    "read": ((-12, -24), (12, -24)),
}


def _behind(look: Look, wears: dict[str, str]) -> str:
    coat, _, _ = colours(look)
    parts = ""
    if "cape" in wears:
        parts += wear.cape(wears["cape"])
    if look.species in SPECIES:
        species = SPECIES[look.species]
        parts += tails.back(species.extra, coat)
        tip = "#fff6ea" if look.species in ("fox", "wolf") else lighter(coat, 0.3)
        parts += tails.tail(species.tail, coat, tip)
    return parts + (wear.backpack(wears["backpack"]) if "backpack" in wears else "")


def _body(look: Look, wears: dict[str, str]) -> str:
    coat, belly, limbs = colours(look)
    if look.species == "robot":
        body = people.robot_body(coat)
    elif look.person:
        body = rect(-5, -52, 10, 8, darker(coat, 0.08))
    else:
        body = path(wear.TORSO, lit(coat)) + _front(look, coat, belly, limbs)
    garments = SLIM if look.person and look.species != "robot" else BROAD
    return body + "".join(draw(wears[name]) for name, draw in garments if name in wears)


BROAD = (("trousers", wear.trousers), ("shirt", wear.shirt), ("dress", wear.dress))
SLIM = (("shirt", wear.blouse), ("dress", wear.gown))


def _front(look: Look, coat: str, belly: str, limbs: str) -> str:
    marks = SPECIES[look.species].marks
    patch = ellipse(0, -23, 14.5, 17, belly)
    if marks == "panda":
        return clipped(rect(-30, -54, 60, 18, limbs), wear.TORSO)
    if marks == "cow":
        return clipped(circle(16, -34, 10, "#5b4f52") + circle(-18, -14, 8, "#5b4f52"), wear.TORSO)
    if marks in ("tiger", "zebra", "giraffe"):
        dark = {"tiger": darker(coat, 0.5), "zebra": "#4a4955", "giraffe": "#c98a44"}[marks]
        lines = mirrored("".join(stroke(f"M28,{y} L15,{y + 2}", dark, 3.6) for y in (-40, -31, -22, -13)))
        return clipped(lines, wear.TORSO) + (ellipse(0, -23, 11, 16, belly) if marks == "tiger" else "")
    if marks == "penguin":
        return ellipse(0, -25, 18, 21, belly)
    if marks == "owl":
        chevrons = "".join(
            stroke(f"M{x - 4},{y} Q{x},{y + 4} {x + 4},{y}", darker(belly, 0.3), 1.6) for x, y in CHEVRONS
        )
        return patch + chevrons
    if SPECIES[look.species].extra == "shell":
        lines = stroke("M-11,-30 Q0,-26 11,-30 M-13,-21 Q0,-17 13,-21", darker(belly, 0.18), 1.5)
        return ellipse(0, -24, 16, 19, belly) + lines
    return patch if belly != coat else ""


CHEVRONS = ((-6, -30), (6, -30), (0, -23), (-7, -17), (7, -17))


def _arms(look: Look, wears: dict[str, str], hands: tuple[Point, Point]) -> str:
    _, _, limbs = colours(look)
    sleeve = wears.get("shirt") or wears.get("dress")
    bird = look.species in SPECIES and SPECIES[look.species].extra == "bird"
    coat = colours(look)[0]
    arm = darker(sleeve, 0.08) if sleeve else darker(coat if bird else limbs, 0.06)
    width = 12.5 if bird else 8.4 if sleeve and look.person else 9.5
    parts = ""
    for side, (x, y) in zip((-1, 1), hands, strict=True):
        bend = 29 if abs(x) < 30 and y > -40 else 26
        parts += stroke(f"M{side * (12 if look.person and sleeve else 16)},-43 Q{side * bend},-36 {x},{y}", arm, width)
        if sleeve:
            parts += circle(x, y, 5.2, lit(limbs))
    return parts


def _feet(look: Look, wears: dict[str, str], pose: str) -> str:
    coat, belly, limbs = colours(look)
    bird = look.species in SPECIES and SPECIES[look.species].extra == "bird"
    shoe = wears.get("shoes") or (
        darker(mix(NAMED["brown"], coat, 0.1), 0.1) if look.person and look.species != "robot" else ""
    )
    sole = shoe or limbs
    if pose in SEATED:
        knees = ""
        if look.person and look.species != "robot":
            knees = mirrored(stroke("M6,-16 Q13,-16 15,-10", limbs if "dress" in wears else wears["trousers"], 10))
        pads = "" if shoe else mirrored(ellipse(16, -6, 4, 4.6, mix(sole, belly, 0.6)))
        return knees + mirrored(ellipse(16, -7, 9, 8.5, lit(sole))) + pads
    leg = "" if bird else mirrored(stroke("M10,-14 L10.5,-6", wears.get("trousers", limbs), 11))
    if look.person and look.species != "robot":
        leg = mirrored(
            stroke(
                "M7.5,-22 L8,-6", limbs if "dress" in wears else wears["trousers"], 7.5 if "dress" in wears else 11.5
            )
        )
        leg += "" if "dress" in wears else stroke("M-6,-22 L6,-22", wears["trousers"], 11)
        if pose != "run":
            return leg + mirrored(ellipse(9.5, -4.5, 8.5, 5, lit(sole)))
    if pose == "run":
        back = stroke("M-9,-14 L-19,-9", wears.get("trousers", limbs), 10) + turned(
            ellipse(-23, -9, 8, 6, lit(sole)), 50, -23, -9
        )
        return back + stroke("M9,-14 L15,-6", wears.get("trousers", limbs), 10) + ellipse(18, -4.5, 10, 6, lit(sole))
    return leg + mirrored(ellipse(12, -5, 10.5, 6, lit(sole)))


def _neck(wears: dict[str, str]) -> str:
    parts = wear.straps(wears["backpack"]) if "backpack" in wears else ""
    return parts + (wear.knot(wears["cape"]) if "cape" in wears else "")


def _on_head(wears: dict[str, str]) -> str:
    """Scarf, glasses and headgear: the same on each head."""
    parts = group(wear.scarf(wears["scarf"]), 0, 70) if "scarf" in wears else ""
    worn = (
        ("glasses", wear.glasses),
        ("hat", wear.hat),
        ("straw hat", wear.straw_hat),
        ("crown", wear.crown),
        ("bow", wear.bow),
    )
    return parts + "".join(draw(wears[name]) for name, draw in worn if name in wears)


def _animal_head(figure: Figure, wears: dict[str, str]) -> str:
    look, asleep = figure.look, figure.pose == "sleep"
    species, (coat, belly, limbs) = SPECIES[look.species], colours(figure.look)
    inner = "#f6b9b4" if species.ears in ("long", "dish", "round", "cat") else mix(belly, "#f3b8a8", 0.35)
    ear = limbs if species.marks == "panda" else coat
    parts = heads.mane(coat) if species.extra == "mane" else ""
    parts += heads.ears(species.ears, ear, inner if species.marks != "panda" else "#5d5c68")
    parts += path(heads.outline(look.species), lit(coat))
    parts += heads.marks(species, look.species, coat, look.nature)
    if species.extra == "wool":
        parts += heads.wool(coat)
    parts += mirrored(ellipse(19, 8, 5.4, 3.8, BLUSH, opacity=0.42))
    gaze = (17, -19, 3.6) if species.ears == "frog" else (11.5, -1, 3.4)
    if species.marks == "mask" or species.marks == "panda":
        parts += mirrored(circle(gaze[0], gaze[1], 4.9, "#fdfbf7", opacity=0.0 if asleep else 0.95))
    parts += faces.muzzle(species, coat, figure.mood) + faces.eyes(figure.mood, asleep, *gaze)
    if species.extra == "wool":
        parts += faces.nose(8, "#a56e62", 3.6) + faces.mouth(figure.mood, 13)
    return parts + heads.front_ears(species.ears, coat) + heads.crest(species.extra, coat) + _on_head(wears)


def _person_head(figure: Figure, wears: dict[str, str]) -> str:
    look, asleep = figure.look, figure.pose == "sleep"
    if look.species == "robot":
        return people.robot_head(colours(look)[0], figure.mood, asleep) + _on_head(wears)
    person = people.PEOPLE[look.species]
    style = Random(f"style {look.nature}").choice(person.styles)  # noqa: S311 - a picture, no secret
    style = {"long hair": "long", "short hair": "short", "braids": "braids"}.get(
        next((name for name in wears if name in ("long hair", "short hair", "braids")), ""), style
    )
    hair = next((wears[name] for name in ("hair", "long hair", "short hair", "braids") if name in wears), "")
    said = {name for name, colour in look.wears if colour}
    if not hair or not said & {"hair", "long hair", "short hair", "braids"}:
        hair = people.hair_colour(person, look.nature)
    front = people.face(person, colours(look)[0], figure.mood, asleep, look.nature)
    return people.hair_back(style, hair) + front + people.hair_front(style, hair) + _on_head(wears)
