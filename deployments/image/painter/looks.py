"""What a look means in colours, clothes and height."""

from random import Random

from deployments.image.painter import people
from deployments.image.painter.palette import (
    NAMED,
    darker,
    lighter,
)
from deployments.image.painter.scene import BRIGHT, Look
from deployments.image.painter.species import SPECIES, Species

TOPS = {"long": 137, "cat": 112, "fox": 116, "tuft": 111, "frog": 101, "comb": 103, "crest": 104, "horned": 112}
TOPS |= {"owl": 106, "dish": 109, "elephant": 97, "": 97}
EXTRA_TOPS = {"antlers": 119, "horns": 108, "goat": 112, "unicorn": 123, "ossicones": 111, "plates": 108, "mane": 111}
METALS = ("#a9bccb", "#8fc1c9", "#e2b86c", "#c9b8dc", "#d98a7a")


def clothes(look: Look) -> dict[str, str]:
    """What is worn, with colours; people are dressed even if nothing is named."""
    worn = {name: NAMED.get(colour, "#d9534a") for name, colour in look.wears}
    person = people.PEOPLE.get(look.species)
    if person is None or look.species == "robot":
        return worn
    choice = Random(f"clothes {look.nature}")  # noqa: S311 - a picture, no secret
    named = {"dress"} & set(worn) or {"shirt", "trousers"} & set(worn)
    for name in choice.choice(person.clothes):
        colour = NAMED[look.coat] if look.coat and name in ("dress", "shirt") else NAMED[choice.choice(BRIGHT)]
        if not (named and name in ("dress", "shirt", "trousers")):
            worn.setdefault(name, colour)
    if "dress" not in worn:
        worn.setdefault("shirt", NAMED[choice.choice(BRIGHT)])
        worn.setdefault("trousers", NAMED[choice.choice(("blue", "brown", "grey", "green"))])
    return worn


def colours(look: Look) -> tuple[str, str, str]:
    """Coat, belly (or skin) and limbs."""
    if look.species == "robot":
        metal = NAMED[look.coat] if look.coat else Random(look.nature).choice(METALS)  # noqa: S311
        return metal, lighter(metal, 0.4), darker(metal, 0.18)
    if look.person:
        tone = people.skin(look.nature)
        return tone, tone, tone
    species = SPECIES[look.species]
    coat = natural(species, look.nature)
    if look.coat and not species.fixed:
        coat = NAMED[look.coat]
    return coat, species.belly or lighter(coat, 0.6), species.limbs or coat


def extent(look: Look) -> tuple[float, float]:
    worn = dict(look.wears)
    tops = [97.0]
    if look.species in SPECIES:
        species = SPECIES[look.species]
        tops += [TOPS.get(species.ears, 101), EXTRA_TOPS.get(species.extra, 0)]
    if look.species == "robot":
        tops.append(113)
    tops += [top for name, top in (("hat", 115), ("straw hat", 111), ("crown", 111)) if name in worn]
    return max(tops), 46


def natural(species: Species, nature: int) -> str:
    """One of the coats of the species."""
    return Random(nature).choice(species.coats)  # noqa: S311 - a picture, no secret
