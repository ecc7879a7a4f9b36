"""Who the hero and the helper are: their names in sentences and pictures, and what they look like."""

import re
from dataclasses import dataclass
from random import Random

from deployments.chat.scripted.words import (
    BY_WORD,
    CLOTHES,
    COLOURS,
    CROWN,
    DRESS,
    EN_HE_NAMES,
    EN_SHE_HINTS,
    EN_SHE_NAMES,
    HELPERS,
    HEROES,
    ZH_NAMES,
    ZH_SHE_HINTS,
    Kind,
    article,
    find_kinds,
)


@dataclass(frozen=True)
class Character:
    """`name` is used in sentences, `first` where it is first named, `shown` in pictures, `looks` in the hero field."""

    name: str
    first: str
    shown: str
    looks: str
    kind: Kind | None
    she: bool


def hero(role: str, topic: str, language: str, rng: Random) -> Character:
    """The user's role; else somebody whom the topic names; else anybody."""
    if role:
        return _given(role, topic, language, rng)
    named = find_kinds(topic, language)
    kind = named[0] if named else BY_WORD[rng.choice(HEROES)]
    if language == "zh":
        return _zh_invented(kind, rng, plain=bool(named) and rng.random() < 0.6)
    return _en_invented(kind, rng, plain=bool(named) and rng.random() < 0.6)


def helper(avoid: Kind | None, hero_name: str, topic: str, language: str, rng: Random) -> Character:
    """A friend of another kind, the second one that the topic names where there is one."""
    named = [kind for kind in find_kinds(topic, language) if kind is not avoid and not kind.person]
    others = [BY_WORD[word] for word in HELPERS if BY_WORD[word] is not avoid]
    kind = named[0] if named else rng.choice(others)
    if language == "zh":
        name = rng.choice([name for name in ZH_NAMES if name not in hero_name])
        return Character(name, kind.zh + name, kind.zh + name, "", kind, False)
    name = rng.choice([name for name in EN_HE_NAMES + EN_SHE_NAMES if name not in hero_name])
    return Character(name, f"{name} the {kind.en}", f"{name} the {kind.en}", "", kind, False)


def _given(role: str, topic: str, language: str, rng: Random) -> Character:
    kinds = find_kinds(role, language, loose=True)
    kind = kinds[0] if kinds else None
    if kind is None and (person := _person(role, language)):
        kind = next(iter(find_kinds(topic, language)), person)
    return _zh_given(role, kind, rng) if language == "zh" else _en_given(role, kind, rng)


def _person(role: str, language: str) -> Kind | None:
    """A girl or boy for what looks like a name; nothing for what does not."""
    if language == "zh":
        named = len(role) <= 3 and role.isalpha() and not re.search("[精兽怪鬼神仙树花星车]", role)
        return BY_WORD["girl" if role[-1] in ZH_SHE_HINTS or role[0] in ZH_SHE_HINTS else "boy"] if named else None
    if re.fullmatch(r"[A-Z][a-z]+", role):
        return BY_WORD["girl" if _she_named(role) else "boy"]
    return None


def _she_named(name: str) -> bool:
    low = name.lower()
    return name in EN_SHE_NAMES or f"{low} " in EN_SHE_HINTS or (low.endswith("a") and low not in ("luca", "joshua"))


def _zh_given(role: str, kind: Kind | None, rng: Random) -> Character:
    bare = re.sub(r"^一[只个位名条头匹]", "", role) or role
    short = len(bare) <= 10
    she = kind.she is True if kind else role[-1] in ZH_SHE_HINTS
    name = bare if short else (kind.zh if kind else rng.choice(ZH_NAMES))
    measured = f"一{kind.measure}{role}" if kind and bare == role and role.endswith(kind.zh_words) else role
    first = measured if short else f"{role}（大家都叫{_zh_pronoun(kind, she)}{name}）"
    shown = name if kind is None or find_kinds(name, "zh", loose=True) else kind.zh + name
    looks = _zh_looks(kind, she, rng)
    if re.search("[穿戴背围]着?", role):
        looks = role
    elif bare not in looks:
        looks = f"{role}，{looks}"
    return Character(name, first, shown, looks, kind, she)


def _zh_pronoun(kind: Kind | None, she: bool) -> str:
    return "它" if kind and not kind.person else "她" if she else "他"


def zh_pronoun(character: Character) -> str:
    """它 for animals and robots, else 她 or 他."""
    return _zh_pronoun(character.kind, character.she)


def _zh_invented(kind: Kind, rng: Random, plain: bool) -> Character:
    she = rng.random() < 0.5 if kind.she is None else kind.she
    looks = _zh_looks(kind, she, rng)
    if plain:
        return Character(kind.zh, f"一{kind.measure}{kind.zh}", kind.zh, looks, kind, she)
    name = rng.choice(ZH_NAMES)
    first = rng.choice([f"一{kind.measure}叫{name}的{kind.zh}", f"{kind.zh}{name}"])
    return Character(name, first, kind.zh + name, f"{looks}，名叫{name}", kind, she)


def _zh_looks(kind: Kind | None, she: bool, rng: Random) -> str:
    clothes = _clothes(kind, she, rng)[0].format(colour=rng.choice(COLOURS)[0])
    if kind is None:
        return clothes
    colour = f"{kind.zh_colour}的" if kind.zh_colour else ""
    return f"一{kind.measure}{colour}{kind.zh}，{clothes}"


def _clothes(kind: Kind | None, she: bool, rng: Random) -> tuple[str, str]:
    if kind and kind.en in ("king", "queen"):
        return CROWN
    if kind and kind.person and she and rng.random() < 0.4:
        return DRESS
    small = kind is not None and kind.en in ("fish", "butterfly", "bird")
    return rng.choice(CLOTHES[:2] if small else CLOTHES)


def _en_given(role: str, kind: Kind | None, rng: Random) -> Character:
    low, words = role.lower(), role.split()
    she = kind.she if kind and kind.she is not None else _she_named(words[0]) or rng.random() < 0.3
    if words[0].lower() in ("a", "an") and len(words) > 1:
        name, first = "the " + " ".join(words[1:]), f"{words[0].lower()} {' '.join(words[1:])}"
    elif words[0].lower() in ("the", "my", "our", "your"):
        name = first = role
    elif role[0].islower() and role.isascii():
        name, first = f"the {role}", f"{article(role)} {role}"
    else:
        name = first = role
    if len(name.split()) > 5 or len(name) > 40:
        called = f"the {kind.en}" if kind else rng.choice(EN_SHE_NAMES if she else EN_HE_NAMES)
        name, first = called, first if kind else f"{first} (everybody just said {called})"
    elif known := re.match(r"([A-Z][a-z]+),? the [a-z]+$", role):
        name = known[1]
    named_kind = kind is None or kind in find_kinds(name, "en") or low in kind.en_words
    shown = name if named_kind or kind is None else f"the {kind.en} {name}" if kind.person else f"{name} the {kind.en}"
    looks = _en_looks(kind, she, rng)
    if re.search(r"\b(?:with|wearing|dressed)\b", low):
        looks = first if first.lower().endswith(low) else role
    elif kind is None:
        looks = f"{first} {looks}" if first == f"{article(role)} {role}" else f"{role} {looks}"
    elif role not in looks:
        looks = f"{role}, {looks}"
    return Character(name, first, shown, looks, kind, she)


def _en_invented(kind: Kind, rng: Random, plain: bool) -> Character:
    she = rng.random() < 0.5 if kind.she is None else kind.she
    looks = _en_looks(kind, she, rng)
    size = "" if kind.en in ("king", "queen", "man", "woman", "grandmother", "grandfather") else "little "
    if plain:
        called = f"{size}{kind.en}"
        return Character(f"the {called}", f"{article(called)} {called}", f"the {called}", looks, kind, she)
    name = rng.choice(EN_SHE_NAMES if she else EN_HE_NAMES)
    first = f"{article(size + kind.en)} {size}{kind.en} called {name}"
    shown = f"the {kind.en} {name}" if kind.person else f"{name} the {kind.en}"
    return Character(name, first, shown, f"{looks}, called {name}", kind, she)


def _en_looks(kind: Kind | None, she: bool, rng: Random) -> str:
    colour = rng.choice(COLOURS)[1]
    clothes = _clothes(kind, she, rng)[1].format(a=article(colour), colour=colour)
    if kind is None:
        return clothes
    size = rng.choice(["small", "little"]) if kind.she is None or kind.en in ("girl", "boy") else "kind"
    body = f"{kind.en_colour} {kind.en}" if kind.en_colour else kind.en
    return f"{article(size)} {size} {body} {clothes}"
