"""What is to be drawn, as data: the hour, the ground, the hero and who and what is there."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Look:
    """A figure's looks, the same on each page: species, colours by part, what is worn, and free choices."""

    species: str
    person: bool
    wears: tuple[tuple[str, str], ...] = ()  # (what, colour name)
    coat: str = ""  # a colour's name; empty: natural
    nature: int = 0  # picks among natural coats, skins, hair


@dataclass(frozen=True)
class Figure:
    look: Look
    pose: str = "stand"
    mood: str = ""


@dataclass(frozen=True)
class Named:
    """Things of one kind that must be seen."""

    label: str
    count: int = 1
    colour: str = ""


@dataclass(frozen=True)
class Scene:
    hour: str
    grounds: tuple[str, ...]
    weather: frozenset[str] = frozenset()
    hero: Figure | None = None
    others: tuple[Figure, ...] = ()
    things: tuple[Named, ...] = ()
    key: str = ""

    def stream(self, *names: object) -> Random:
        """Random numbers that depend on the prompt, the seed and the names alone."""
        return stream(self.key, *names)


def stream(*names: object) -> Random:
    """Random numbers of their own for these names, the same everywhere."""
    return Random("|".join(map(str, names)))  # noqa: S311 - a picture, no secret


BRIGHT = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "turquoise")
