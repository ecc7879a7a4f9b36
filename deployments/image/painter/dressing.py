"""What a scene shows though nobody asked: a sun or moon, some clouds, trees, flowers, houses of a village."""

from collections.abc import Iterator

from deployments.image.painter.frame import Frame
from deployments.image.painter.scene import Named

USUAL: dict[str, tuple[tuple[str, int, int], ...]] = {  # thing, fewest, most
    "meadow": (("tree", 1, 3), ("flower", 2, 4), ("bush", 0, 2), ("butterfly", 0, 2)),
    "garden": (("tree", 1, 2), ("flower", 4, 6), ("fence", 1, 3), ("bush", 1, 2), ("butterfly", 1, 2)),
    "village": (("house", 3, 5), ("tree", 1, 2), ("fence", 0, 2), ("flower", 1, 3)),
    "lake": (("tree", 1, 2), ("bush", 0, 1), ("flower", 1, 3), ("boat", 0, 1)),
    "river": (("tree", 1, 2), ("flower", 1, 3), ("rock", 0, 2)),
    "forest": (("tree", 2, 3), ("pine", 0, 2), ("mushroom", 1, 3), ("bush", 1, 2)),
    "sea": (("boat", 0, 2), ("bird", 0, 2), ("palm", 0, 1), ("rock", 0, 1)),
    "mountains": (("pine", 1, 2), ("rock", 0, 2), ("flower", 0, 3)),
    "snowfield": (("pine", 1, 2), ("rock", 0, 1)),
    "desert": (("cactus", 1, 3), ("rock", 0, 2)),
    "city": (("lamp", 1, 2), ("tree", 0, 2), ("car", 0, 1)),
    "underwater": (("fish", 2, 4),),
    "space": (("star", 3, 5),),
    "clouds": (("bird", 0, 1),),
}
FLORA = frozenset({"flower", "butterfly", "bush", "mushroom"})


def dressing(frame: Frame, present: set[str]) -> Iterator[Named]:
    """Things to add to a scene; none of a name that is there already, nothing that contradicts its weather."""
    scene = frame.scene
    rng = frame.stream("dressing")
    ground = scene.grounds[0]
    if ground not in ("room", "parlour", "underwater", "space", "moon"):
        yield from (thing for thing in _above(frame) if thing.label not in present)
    usual = USUAL.get(ground, ()) + (USUAL["village"][:1] if "village" in scene.grounds[1:] else ())
    if "forest" in scene.grounds[1:]:
        usual += (("tree", 2, 3),)
    for label, fewest, most in usual:
        count = rng.randint(fewest, most)
        barren = label in FLORA and ("snow" in scene.weather or ground == "snowfield")
        asleep = label == "butterfly" and scene.hour == "night"
        if label not in present and count and not barren and not asleep:
            yield Named(label, count)


def _above(frame: Frame) -> Iterator[Named]:
    scene = frame.scene
    rng = frame.stream("above")
    grey = bool(scene.weather & {"rain", "cloudy", "snow"})
    if not grey:
        yield Named("moon" if scene.hour == "night" else "sun")
    if scene.hour == "night" and not grey:
        yield Named("star", rng.randint(2, 5))
    yield Named("cloud", rng.randint(3, 5) if grey else rng.randint(1, 4))
    if not grey and scene.hour != "night" and rng.random() < 0.35:
        yield Named("bird", rng.randint(1, 3))
