"""Heads of animals about their centre as (0, 0): outline, ears, markings, horns."""

from collections.abc import Callable

from deployments.image.painter.palette import darker, lighter, lit
from deployments.image.painter.species import Species
from deployments.image.painter.svg import circle, clipped, ellipse, mirrored, path, polygon, stroke, turned

HEADS = {  # half width, half height, cheek tuft
    "fox": (31, 25, 6), "red panda": (32, 25, 5), "wolf": (31, 26, 6), "cat": (31, 25, 3), "raccoon": (32, 25, 5),
    "tiger": (32, 26, 3), "mouse": (28, 24, 0), "squirrel": (29, 25, 2), "hamster": (33, 25, 0), "deer": (26, 26, 0),
    "giraffe": (25, 26, 0), "horse": (26, 27, 0), "zebra": (26, 27, 0), "unicorn": (26, 27, 0), "goat": (25, 26, 0),
    "cow": (29, 26, 0), "pig": (31, 26, 0), "frog": (32, 23, 0), "duck": (26, 25, 0), "goose": (25, 25, 0),
    "chicken": (26, 25, 0), "turtle": (27, 24, 0), "koala": (31, 26, 0), "dragon": (30, 25, 0), "dinosaur": (30, 25, 0),
}  # fmt: skip


def outline(species: str) -> str:
    """Path data of the head: round, with cheek tufts where the species has them."""
    w, h, tuft = HEADS.get(species, (30, 26, 0))
    t = w + tuft
    if tuft:
        right = (
            f"C{w * 0.62},{-h} {w},{-h * 0.55} {w},{h * 0.12} Q{t - 1},{h * 0.3} {t},{h * 0.52} Q{w * 0.86},{h * 0.62}"
        )
        left = f"Q{-w * 0.86},{h * 0.62} {-t},{h * 0.52} Q{1 - t},{h * 0.3} {-w},{h * 0.12}"
        left += f" C{-w},{-h * 0.55} {-w * 0.62},{-h}"
    else:
        right = f"C{w * 0.6},{-h} {w},{-h * 0.6} {w},{h * 0.1} C{w},{h * 0.5} {w * 0.9},{h * 0.7}"
        left = f"C{-w * 0.9},{h * 0.7} {-w},{h * 0.5} {-w},{h * 0.1} C{-w},{-h * 0.6} {-w * 0.6},{-h}"
    chin = f"{w * 0.7},{h * 0.8} Q{w * 0.4},{h} 0,{h} Q{-w * 0.4},{h} {-w * 0.7},{h * 0.8}"
    return f"M0,{-h} {right} {chin} {left} 0,{-h}Z"


def ears(kind: str, coat: str, inner: str) -> str:
    """Both ears, behind the head."""
    draw: dict[str, Callable[[], str]] = {
        "cat": lambda: _pointed(coat, inner, 25, -38, 11),
        "fox": lambda: _pointed(coat, inner, 25, -43, 13) + polygon([(22, -38), (27, -44), (29, -37)], "#5b3d38", 1.5),
        "tuft": lambda: _pointed(coat, inner, 19, -39, 8),
        "owl": lambda: polygon([(12, -20), (27, -34), (27, -12)], coat, 2),
        "round": lambda: circle(21, -20, 10.5, lit(coat)) + circle(21, -20, 6, inner),
        "dish": lambda: circle(26, -21, 15.5, lit(coat)) + circle(26, -21, 10.5, inner),
        "fluff": lambda: circle(30, -12, 15, lit(coat)) + circle(30, -12, 9, inner),
        "side round": lambda: circle(30, -1, 10, lit(coat)) + circle(30, -1, 6, inner),
        "long": lambda: turned(ellipse(13, -42, 8, 25, lit(coat)) + ellipse(13, -41, 4.2, 19, inner), 9, 13, -20),
        "leaf": lambda: turned(ellipse(32, -12, 12, 6.5, lit(coat)) + ellipse(33, -12, 8, 3.4, inner), -14, 26, -12),
        "fold": lambda: polygon([(13, -24), (29, -33), (29, -14)], darker(coat, 0.08), 3),
        "elephant": lambda: ellipse(36, -3, 19, 22, lit(coat)) + ellipse(37, -2, 13, 16, inner),
        "frog": lambda: circle(17, -19, 10, lit(coat)),
        "crest": lambda: stroke("M0,-22 Q1,-33 7,-33 M0,-22 Q-2,-31 -6,-32", coat, 4),
        "comb": lambda: "".join(circle(x, y, 5.5, "#e0574f") for x, y in ((-6, -25), (1, -28), (8, -25))),
        "horned": lambda: polygon([(12, -20), (20, -40), (22, -18)], "#f1e2b4", 2) + ellipse(30, -10, 9, 5, coat),
    }
    if kind not in draw:
        return ""
    single = draw[kind]()
    return single if kind in ("crest", "comb") else mirrored(single)


def _pointed(coat: str, inner: str, x: float, y: float, half: float) -> str:
    outer = polygon([(x - half - 3, -18), (x + 2, y), (x + half - 4, -8)], coat, 3)
    return outer + polygon([(x - half * 0.45, -20), (x + 1.5, y + 8), (x + half * 0.35, -13)], inner, 1.5)


def front_ears(kind: str, coat: str) -> str:
    """Ears that hang over the face."""
    if kind != "floppy":
        return ""
    dark = darker(coat, 0.28)
    return mirrored(path("M17,-24 C30,-28 40,-14 38,4 C37,14 27,14 26,4 C25,-8 20,-14 17,-24Z", lit(dark)))


def crest(extra: str, coat: str) -> str:
    """Antlers, horns, forelocks: on the head's top, before the hat."""
    if extra == "antlers":
        return mirrored(
            stroke("M10,-23 C12,-36 20,-38 22,-48 M14,-35 Q9,-40 10,-46 M18,-39 Q26,-40 29,-44", "#8d6648", 3.6)
        )
    if extra == "horns":
        return mirrored(path("M12,-22 Q20,-26 20,-37 Q27,-27 20,-17Z", "#f1e4c6"))
    if extra == "goat":
        beard = path("M-5,22 Q0,40 5,22Z", darker(coat, 0.12))
        return beard + mirrored(path("M8,-22 Q10,-38 22,-42 Q18,-32 18,-20Z", "#a58f78"))
    if extra == "ossicones":
        return mirrored(stroke("M8,-23 L10,-34", "#d9a650", 4) + circle(10, -36, 4, "#8a5b37"))
    if extra == "unicorn":
        mane = "".join(
            circle(x, y, r, c)
            for x, y, r, c in ((-9, -25, 8, "#f3a9c9"), (3, -27, 8, "#b9a5e6"), (-17, -18, 7, "#8fcfe0"))
        )
        return (
            mane
            + polygon([(-4, -28), (4, -28), (0, -52)], "#f6cf6a", 1.5)
            + stroke("M-3,-34 L3,-36 M-2,-41 L2,-43", "#dda83e", 1.4)
        )
    if extra == "forelock":
        return path(
            "M-9,-28 Q2,-34 10,-26 Q7,-12 1,-10 Q2,-18 -9,-28Z", darker(coat, 0.45) if coat != "#f7f5f0" else "#4a4955"
        )
    return ""


def mane(coat: str) -> str:
    """A lion's mane, behind the head."""
    colour = darker(coat, 0.3)
    ring = "".join(turned(circle(0, -30, 11, colour), 360 / 14 * i) for i in range(14))
    return ring + circle(0, 0, 33, lit(colour))


def wool(coat: str) -> str:
    """A sheep's wool around the face, with the face on it."""
    ring = "".join(turned(circle(0, -21, 10, lighter(coat, 0.3)), 30 * i) for i in range(12))
    return ring + circle(0, 0, 25, lit(coat)) + ellipse(0, 4, 20, 19, lit("#f2d9c4"))


def marks(species: Species, name: str, coat: str, nature: int) -> str:
    """Markings of the face, within the head."""
    dark, kind = darker(coat, 0.45), species.marks
    pieces = {
        "panda": mirrored(turned(ellipse(11.5, 0, 8, 10, "#45444f"), -28, 11.5, 0)),
        "mask": mirrored(turned(ellipse(13, 1, 12, 7.5, "#4d4d58"), 18, 13, 1)) + ellipse(0, -16, 5, 12, "#7d828f"),
        "tiger": _stripes(dark) + mirrored(stroke("M32,3 L22,4 M31,11 L23,10", dark, 3)),
        "zebra": _stripes("#4a4955") + mirrored(stroke("M28,-6 L20,-4 M28,3 L21,4", "#4a4955", 3.2)),
        "tabby": _stripes(darker(coat, 0.25)) if nature % 3 else "",
        "patch": ellipse(13, -3, 11, 13, darker(coat, 0.3)) if nature % 2 else "",
        "cow": ellipse(-18, -10, 15, 17, "#5b4f52"),
        "giraffe": mirrored(ellipse(14, -18, 5, 4, "#c98a44") + ellipse(24, -6, 4, 5, "#c98a44")),
        "fawn": mirrored(circle(8, -18, 1.6, "#fff1d8") + circle(14, -15, 1.4, "#fff1d8")),
        "penguin": path(
            "M0,-12 C8,-24 28,-16 25,4 C24,20 8,24 0,24 C-8,24 -24,20 -25,4 C-28,-16 -8,-24 0,-12Z", "#fffdf6"
        ),
        "owl": mirrored(circle(11.5, -1, 12.5, "#f3e4c8")),
    }
    if species.muzzle == "fox":
        face = "M0,-4 C6,6 20,2 40,4 L40,30 L-40,30 L-40,4 C-20,2 -6,6 0,-4Z"
        return clipped(path(face, species.belly), outline(name)) + pieces.get(kind, "")
    if species.muzzle == "face":
        heart = "M0,-12 C8,-22 25,-16 23,0 C24,16 12,23 0,23 C-12,23 -24,16 -23,0 C-25,-16 -8,-22 0,-12Z"
        return path(heart, species.belly)
    return clipped(pieces[kind], outline(name)) if kind in pieces else ""


def _stripes(dark: str) -> str:
    return stroke("M0,-27 L0,-16 M-8,-26 L-6,-17 M8,-26 L6,-17", dark, 3.4)
