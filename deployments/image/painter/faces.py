"""Eyes, noses and mouths, about the head's centre as (0, 0)."""

from deployments.image.painter.palette import INK, darker, lighter, lit
from deployments.image.painter.species import Species
from deployments.image.painter.svg import circle, ellipse, mirrored, paint, path, polygon, stroke

BLUSH = "#f08a8a"
SHINE = "#FFFFFF"


def eyes(mood: str, asleep: bool, x: float = 11.5, y: float = -1, size: float = 3.4) -> str:
    """Two friendly eyes."""
    if asleep:
        return mirrored(stroke(f"M{x - 4},{y} Q{x},{y + 4} {x + 4},{y}", INK, 1.8))
    if mood == "surprised":
        size *= 1.25
    brow = stroke(f"M{x - 4},{y - 8.5} L{x + 3.5},{y - 6.5}", INK, 1.4) if mood == "sad" else ""
    return mirrored(ellipse(x, y, size, size * 1.25, INK) + brow) + "".join(
        circle(side * x + size * 0.35, y - size * 0.5, size * 0.38, SHINE)
        + circle(side * x - size * 0.4, y + size * 0.55, size * 0.18, SHINE)
        for side in (-1, 1)
    )


def mouth(mood: str, y: float, width: float = 5) -> str:
    """Below the nose: a smile in two arcs, a small o, or turned down."""
    if mood == "surprised":
        return ellipse(0, y + 2.5, 2.6, 3.2, "#8d4a50")
    if mood == "sad":
        return stroke(f"M{-width * 0.8},{y + 3} Q0,{y - 1} {width * 0.8},{y + 3}", INK, 1.6)
    return mirrored(
        stroke(f"M0,{y - 1} Q{width * 0.1},{y + 3} {width * 0.6},{y + 3} Q{width},{y + 3} {width * 1.1},{y}", INK, 1.6)
    )


def muzzle(species: Species, coat: str, mood: str) -> str:
    """Nose, mouth and what is around them."""
    belly = species.belly or lighter(coat, 0.55)
    kind = species.muzzle
    if kind in ("small", "fox", "face", "point"):
        pad = ellipse(0, 11, 11, 8, belly) if kind in ("small", "point") else ""
        tip = {"small": "#d97f86" if coat != "#fbf8f2" else INK, "point": "#e58a92"}.get(kind, INK)
        return pad + nose(7.5 if kind != "fox" else 8, tip, 3.4 if kind != "fox" else 4.2) + mouth(mood, 12.5)
    if kind == "dog":
        return ellipse(0, 11, 13, 10, lit(belly)) + nose(6.5, INK, 5) + mouth(mood, 13)
    if kind == "koala":
        return ellipse(0, 5, 6, 8.5, lit("#55545f")) + mouth(mood, 15)
    if kind == "sheep":
        return ""
    return _broad(kind, coat, belly, mood)


def _broad(kind: str, coat: str, belly: str, mood: str) -> str:
    nostril = darker(coat if kind in ("snout", "wide", "dragon") else belly, 0.4)
    if kind == "snout":
        holes = mirrored(ellipse(3.6, 8, 1.7, 2.6, nostril))
        return ellipse(0, 8, 10.5, 7.5, lit(darker(coat, 0.1))) + holes + mouth(mood, 18)
    if kind == "long":
        return ellipse(0, 14, 19, 12, lit(belly)) + mirrored(ellipse(7, 10, 2, 2.4, nostril)) + mouth(mood, 17, 6)
    if kind == "trunk":
        trunk = stroke("M0,3 C0,16 1,24 8,28 Q15,30 16,23", darker(coat, 0.05), 12)
        lines = stroke("M-4,11 L5,11 M-3,17 L6,16", darker(coat, 0.16), 1.2)
        return mirrored(stroke("M9,14 Q13,18 17,14", INK, 1.5)) + trunk + lines
    if kind == "wide":
        return (
            mirrored(circle(3, 5, 1, nostril) + stroke("M0,11 Q9,11 16,6", INK, 1.7))
            if mood != "surprised"
            else mouth(mood, 8)
        )
    if kind == "dragon":
        return (
            ellipse(0, 11, 19, 12, lit(lighter(coat, 0.18)))
            + mirrored(ellipse(6, 6, 1.6, 2, nostril))
            + mouth(mood, 13, 8)
        )
    if kind == "bill":
        lower = ellipse(0, 13, 9, 4.5, "#d97f2f")
        return lower + path("M-14,9 Q-6,2 0,3 Q6,2 14,9 Q8,14 0,13 Q-8,14 -14,9Z", paint("v", "#f9b354", "#ef9a3c"))
    return polygon([(-5, 6), (5, 6), (0, 14)], "#f0a243", 2.5) + stroke("M-5,8 Q0,11 5,8", "#d5852f", 1.2)


def nose(y: float, colour: str, half: float) -> str:
    shape = path(
        f"M{-half},{y - 1.5} Q0,{y - 4} {half},{y - 1.5} Q{half * 0.6},{y + half * 0.7} 0,{y + half * 0.8}"
        f" Q{-half * 0.6},{y + half * 0.7} {-half},{y - 1.5}Z",
        colour,
    )
    return shape + ellipse(-half * 0.3, y - 1, half * 0.3, half * 0.16, SHINE, opacity=0.55)
