"""Heads of people and of robots, about the head's centre as (0, 0), and what people wear when nothing is named."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from deployments.image.painter.faces import BLUSH, eyes, mouth
from deployments.image.painter.palette import INK, darker, lighter, lit
from deployments.image.painter.svg import circle, ellipse, mirrored, path, rect, stroke

SKINS = ("#fbdcc0", "#f6cfae", "#eab98f", "#cf9668", "#a06d48")
HAIRS = ("#5b3f34", "#3f3540", "#8a5a3a", "#c98b4b", "#e5bd6e", "#b3563a")
GREY = "#d9d6d8"


@dataclass(frozen=True)
class Person:
    """How a kind of person looks when nothing else is said."""

    styles: tuple[str, ...]
    clothes: tuple[tuple[str, ...], ...]  # one of these sets is worn
    beard: bool = False
    grey: bool = False
    tall: float = 1.0


PEOPLE = {
    "girl": Person(("bob", "braids", "long", "buns"), (("dress",), ("shirt", "trousers"), ("dress",))),
    "boy": Person(("short", "tousled"), (("shirt", "trousers"),)),
    "child": Person(("short", "bob", "tousled", "buns"), (("shirt", "trousers"), ("dress",))),
    "woman": Person(("long", "bob", "bun"), (("dress",), ("shirt", "trousers")), tall=1.12),
    "man": Person(("short", "tousled"), (("shirt", "trousers"),), tall=1.15),
    "grandmother": Person(("bun",), (("dress", "glasses"),), grey=True, tall=1.05),
    "grandfather": Person(("bald",), (("shirt", "trousers", "glasses"), ("shirt", "trousers")), True, True, 1.08),
    "king": Person(("short",), (("crown", "cape", "shirt", "trousers"),), beard=True, tall=1.15),
    "queen": Person(("bun", "long"), (("crown", "dress", "cape"),), tall=1.12),
    "princess": Person(("long", "braids"), (("crown", "dress"),)),
    "prince": Person(("tousled", "short"), (("crown", "shirt", "trousers", "cape"),)),
    "robot": Person((), ((),)),
}


def skin(nature: int) -> str:
    return Random(f"skin {nature}").choice(SKINS)  # noqa: S311 - a picture, no secret


def hair_colour(person: Person, nature: int) -> str:
    return GREY if person.grey else Random(f"hair {nature}").choice(HAIRS)  # noqa: S311


def hair_back(style: str, colour: str) -> str:
    """Hair behind the head, open below the chin: across it, it would look like a beard."""
    fill, dark = lit(colour), darker(colour, 0.1)
    drawn: dict[str, Callable[[], str]] = {
        "long": lambda: path(
            "M-27,-6 C-32,-34 32,-34 27,-6 C29,10 33,26 27,33 Q20,37 15,33 C18,26 17,20 13,14"
            " L-13,14 C-17,20 -18,26 -15,33 Q-20,37 -27,33 C-33,26 -29,10 -27,-6Z",
            fill,
        ),
        "bob": lambda: path(
            "M-27,-4 C-32,-34 32,-34 27,-4 C30,8 30,16 25,21 Q19,25 14,21 L12,12 L-12,12 L-14,21 Q-19,25 -25,21"
            " C-30,16 -30,8 -27,-4Z",
            fill,
        ),
        "braids": lambda: (
            circle(0, -2, 27, fill)
            + mirrored(ellipse(29, 12, 6, 8, dark) + ellipse(30, 24, 5.4, 8, fill) + circle(30, 32, 3, "#e57373"))
        ),
        "buns": lambda: circle(0, -2, 26.5, fill) + mirrored(circle(21, -23, 10.5, fill)),
        "bun": lambda: circle(0, -29, 11, fill) + circle(0, -3, 27, fill),
    }
    return drawn.get(style, lambda: circle(0, -3, 26, fill))() if style != "bald" else ""


def hair_front(style: str, colour: str) -> str:
    """The fringe, over the brow."""
    fill = lit(colour)
    if style == "bald":
        return mirrored(path("M24,-8 C31,-8 31,8 25,8 Q21,0 24,-8Z", fill))
    if style in ("short", "tousled"):
        tuft = path("M-6,-25 Q0,-35 8,-31 Q4,-29 6,-25Z", fill) if style == "tousled" else ""
        return tuft + path(
            "M-26,-2 C-29,-36 29,-36 26,-2 C24,-9 20,-13 14,-14 Q2,-9 -8,-15 C-18,-14 -24,-9 -26,-2Z", fill
        )
    if style == "bun":
        return path("M-26,0 C-29,-35 29,-35 26,0 C22,-12 12,-18 0,-19 C-12,-18 -22,-12 -26,0Z", fill)
    return path("M-26,3 C-30,-36 30,-36 26,3 C25,-6 22,-10 18,-11 Q0,-7 -18,-11 C-22,-10 -25,-6 -26,3Z", fill)


def face(person: Person, tone: str, mood: str, asleep: bool, nature: int) -> str:
    """Head, eyes, cheeks, nose and mouth."""
    ears = mirrored(circle(25, 2, 5, tone))
    cheeks = mirrored(ellipse(15.5, 9, 5, 3.6, BLUSH, opacity=0.45))
    nose = ellipse(0, 5.5, 2.4, 1.8, darker(tone, 0.16))
    smile = stroke("M-5.5,11 Q0,16.5 5.5,11", INK, 1.7) if not mood else mouth(mood, 12)
    head = ears + ellipse(0, 0, 25.5, 24, lit(tone)) + cheeks
    if person.beard:
        colour = hair_colour(person, nature)
        beard = path(
            "M-25,2 C-24,30 -8,36 0,36 C8,36 24,30 25,2 Q20,10 12,9 Q6,6 0,9 Q-6,6 -12,9 Q-20,10 -25,2Z", lit(colour)
        )
        smile = path("M-6,13 Q0,19 6,13Z", "#b0555a")
        head += beard
    return head + eyes(mood, asleep, 10, 0, 3) + nose + smile


def robot_head(metal: str, mood: str, asleep: bool) -> str:
    """A box with a screen for a face, and an antenna."""
    light = "#7FE3E8"
    ears = mirrored(rect(26, -9, 8, 18, darker(metal, 0.2), 3.5))
    horn = stroke("M0,-24 L0,-35", darker(metal, 0.25), 3) + circle(0, -38, 5, "#F2705C")
    case = rect(-29, -25, 58, 49, lit(metal), 15) + rect(-22.5, -17, 45, 33, "#33435f", 11)
    gaze = mirrored(stroke("M7,-3 L15,-3", light, 3) if asleep else rect(7.5, -9, 7, 11, light, 3.5))
    curve = {"sad": "M-6,11 Q0,6 6,11", "surprised": "M-2,9 L2,9"}.get(mood, "M-7,7 Q0,13 7,7")
    return ears + horn + case + gaze + stroke(curve, light, 2.4)


def robot_body(metal: str) -> str:
    """The chest, with lights and a dial."""
    chest = rect(-21, -48, 42, 38, lit(metal), 11) + rect(-13, -41, 26, 18, lighter(metal, 0.45), 5)
    lamps = circle(-7, -32, 3.2, "#F2705C") + circle(1, -32, 3.2, "#F7C948") + circle(9, -32, 3.2, "#6FCF97")
    return chest + lamps + stroke("M-9,-17 L9,-17", darker(metal, 0.2), 2.4)
