"""A prompt becomes a scene."""

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from deployments.image.painter.scene import BRIGHT, Figure, Look, Named, Scene, stream
from deployments.image.painter.vocabulary import Noun, nouns

HERO_LINE = re.compile(r"^\s*(?:main character|hero|主角|主人公)\s*[:：](.*)$", re.IGNORECASE | re.MULTILINE)
ODD_GROUNDS = ("meadow", "meadow", "lake", "forest", "sea", "mountains", "garden", "river", "village", "snowfield")
HAIR = frozenset({"hair", "long hair", "short hair", "braids"})
WORN = ("scarf", "hat", "bow", "backpack", "scarf", "glasses", "straw hat", "cape")


def look_of(noun: Noun, choice: Random, dressed: bool) -> Look:
    """The looks of a figure; what is unnamed is chosen. `dressed`: something is worn in any case."""
    coat, wears, nature = noun.colour, list(noun.wears), choice.randrange(1 << 16)
    if fur := next((colour for name, colour in wears if name == "fur" and colour), ""):
        coat = fur
    wears = [(name, colour or _colour_of(name, choice)) for name, colour in wears if name != "fur"]
    chosen = (choice.choice(WORN), choice.choice(BRIGHT))
    if dressed and not wears and noun.kind == "animal":
        wears = [chosen]
    return Look(noun.name, noun.kind == "person", tuple(dict(wears).items()), coat, nature)


def _colour_of(name: str, choice: Random) -> str:
    """Clothes are of any colour; hair of which none is said is of a natural one, for whoever draws it to choose."""
    colour = choice.choice(BRIGHT)
    return "" if name in HAIR else colour


def read(prompt: str, seed: int) -> Scene:
    """The scene that a prompt names; whatever it leaves open is chosen by prompt and seed."""
    key = f"{prompt}|{seed}"
    line = HERO_LINE.search(prompt)
    page = HERO_LINE.sub("", prompt)
    seen = nouns(page)
    hero, others = _cast(line[1] if line else None, seen, key)
    weather = frozenset(noun.name for noun in seen if noun.kind == "weather")
    things = _things(seen, hero is not None)
    grounds = _grounds(seen, things, weather, key)
    return Scene(_hour(seen, things, grounds, weather, key), grounds, weather, hero, others, things, key)


def _cast(line: str | None, seen: list[Noun], key: str) -> tuple[Figure | None, tuple[Figure, ...]]:
    actors = [noun for noun in seen if noun.kind in ("animal", "person")]
    pose = next((noun.name for noun in seen if noun.kind == "pose"), "stand")
    mood = next((noun.name for noun in seen if noun.kind == "mood"), "")
    hero: Figure | None = None
    if line is not None:
        named = nouns(line)
        first = next((noun for noun in named if noun.kind in ("animal", "person")), None) or Noun("person", "child")
        look = look_of(first, stream(line.strip()), dressed=True)
        hero = Figure(look, pose, mood)
        actors = [noun for noun in actors if not _same(noun, look)]
    elif actors:
        hero = Figure(look_of(actors[0], stream(key, "hero"), dressed=stream(key).random() < 0.6), pose, mood)
        actors = _rest(actors)
    return hero, tuple(_others(actors, key))


def _same(noun: Noun, hero: Look) -> bool:
    """Whether a page speaks of the hero by its kind: `the fox`, `the child`."""
    young = noun.name == "child" and hero.species in ("girl", "boy", "princess", "prince")
    return (noun.name == hero.species or young) and not noun.many and noun.count < 2


def _rest(actors: list[Noun]) -> list[Noun]:
    first = actors[0]
    count = max(first.count, 2 if first.many else 1)
    again = [replace(first, count=count - 1, many=False)] if count > 1 else []
    return again + [noun for noun in actors[1:] if noun.name != first.name or noun.many]


def _others(actors: list[Noun], key: str) -> Iterator[Figure]:
    unique = list({noun.name: noun for noun in actors}.values())
    room = 4
    for place, noun in enumerate(unique):
        count = min(noun.count or (2 if noun.many else 1), room, 3)
        room -= count
        for one in range(count):
            choice = stream(key, "other", place, one)
            pose = choice.choice(("stand", "stand", "wave", "sit"))
            yield Figure(look_of(noun, choice, dressed=choice.random() < 0.3), pose)


def _things(seen: list[Noun], has_hero: bool) -> tuple[Named, ...]:
    named: dict[str, Named] = {}
    for noun in seen:
        if noun.kind == "thing":
            before = named.get(noun.name, Named(noun.name, 0))
            count = max(before.count, min(noun.count or (3 if noun.many else 1), 6))
            named[noun.name] = Named(noun.name, count, before.colour or noun.colour)
    poses = {noun.name for noun in seen if noun.kind == "pose"}
    for pose, tool in (("fish", "fishing rod"), ("read", "book")):
        if has_hero and pose in poses:
            named.setdefault(tool, Named(tool))
    return tuple(named.values())


def _grounds(seen: list[Noun], things: tuple[Named, ...], weather: frozenset[str], key: str) -> tuple[str, ...]:
    grounds = tuple(dict.fromkeys(noun.name for noun in seen if noun.kind == "ground"))
    labels = {thing.label for thing in things}
    if not grounds:
        hints = {
            "snow": "snowfield", "lighthouse": "sea", "whale": "sea", "palm": "sea", "boat": "lake", "bridge": "river",
            "cactus": "desert", "rocket": "space", "planet": "space", "windmill": "village", "snowman": "snowfield",
            "pine": "forest", "mushroom": "forest", "tent": "forest", "car": "city",
        }  # fmt: skip
        grounds = tuple(ground for hint, ground in hints.items() if hint in labels | weather)[:1]
    return grounds or (stream(key, "ground").choice(ODD_GROUNDS if not seen else ("meadow", "garden", "meadow")),)


def _hour(
    seen: list[Noun], things: tuple[Named, ...], grounds: tuple[str, ...], weather: frozenset[str], key: str
) -> str:
    if grounds[0] == "underwater":
        return "day"
    labels = {thing.label for thing in things}
    said = next((noun.name for noun in seen if noun.kind == "hour"), "")
    if said in ("", "night") and (labels & {"moon", "star"} or {"moon", "space"} & set(grounds)):
        return "night"
    if said or labels & {"sun", "rainbow"}:
        return said or "day"
    grey = "rain" in weather or "snow" in weather
    return "day" if grey else stream(key, "hour").choice(("day", "day", "day", "dawn", "sunset"))
