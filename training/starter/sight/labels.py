"""What the two models name: of the painter's things those that a picture can be about, and groups that it can hold."""

from deployments.image.painter.words import ANIMALS, PEOPLE, THINGS

LANDSCAPE = "landscape"
BACKDROP = frozenset(  # what stands around in most scenes; a child is drawn as a girl or a boy
    {"sun", "moon", "star", "cloud", "tree", "pine", "bush", "rock", "flower", "fence", "bird", "butterfly"}
) | {"fishing rod", "child"}
CLASSES = [LANDSCAPE, *(name for name in (*ANIMALS, *PEOPLE, *THINGS) if name not in BACKDROP)]

SAME = {  # as the detector names it: the painter's pine is a tree, and so on
    **dict.fromkeys(PEOPLE, "person"),
    **dict.fromkeys(ANIMALS, "animal"),
    "robot": "robot",
    "pine": "tree",
    "palm": "tree",
    "building": "house",
    "bee": "butterfly",
    "lantern": "lamp",
    "planet": "planet",
}
LEFT_OUT = frozenset({"fishing rod", "mountain", "river", "lake", "sea", "rainbow", "bed", "rug", "shelf", "window"})
KINDS = sorted(
    {"person", "animal", "robot", "tree", "house", "butterfly", "lamp"}
    | {SAME.get(name, name) for name in THINGS if name not in LEFT_OUT}
)

CHINESE = {"landscape": "风景", "person": "人", "animal": "动物", "tree": "树", "lamp": "灯", "deer": "鹿"}
CHINESE |= {"horse": "马", "bird": "鸟", "boat": "船", "house": "房子"}


def kind_of(label: str) -> str:
    """The detector's word for a thing of the painter's; empty: it does not look for such things."""
    kind = SAME.get(label, label)
    return kind if kind in KINDS else ""


def chinese(label: str) -> str:
    """The painter's first Chinese word for it."""
    phrases = {**THINGS, **ANIMALS, **PEOPLE}.get(label, "")
    return CHINESE.get(label) or phrases.partition(";")[2].split()[0]
