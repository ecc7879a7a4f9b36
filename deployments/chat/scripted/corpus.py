"""Training examples without end: prompts with random slots, and the answers that the grammar gives."""

from collections.abc import Iterator
from random import Random

from contracts import prompts
from contracts.chat import Message
from contracts.prompts import Language
from deployments.chat.scripted import corpus_words as words
from deployments.chat.scripted.engine import answer
from deployments.chat.scripted.words import BY_WORD, EN_HE_NAMES, EN_SHE_NAMES, HEROES, ZH_NAMES, article

ACTIONS = (
    "generate_draft",
    "correct_grammar",
    "make_lively",
    "make_formal",
    "make_warm",
    "add_interaction",
    "shorten",
    "expand",
)
_COMMON = [
    bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)
]  # the 3,666 most used characters of GB 2312
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def corpus(seed: int) -> Iterator[list[Message]]:
    """Conversations that end with the answer; the same seed gives the same ones. Half of the names are made up."""
    rng = Random(seed)  # noqa: S311
    while True:
        yield example(rng)


def example(rng: Random) -> list[Message]:
    """One conversation about a random task in a random language."""
    language: Language = rng.choice(("zh", "zh", "en"))
    make = rng.choices((story, product, edit, talk, mended, mended_copy), weights=(18, 14, 12, 10, 1, 1))[0]
    asked = make(rng, language)
    return [*asked, Message(role="assistant", content=answer(asked, rng.getrandbits(32)))]


def story(rng: Random, language: Language) -> list[Message]:
    """A story prompt, with or without a role and a scene."""
    zh = language == "zh"
    topic = made_up(rng, language) if rng.random() < 0.2 else rng.choice(words.ZH_TOPICS if zh else words.EN_TOPICS)
    role = _role(rng, language) if rng.random() < 0.6 else ""
    scene = rng.choice(words.ZH_SCENES if zh else words.EN_SCENES) if rng.random() < 0.6 else ""
    pages = 6 if rng.random() < 0.6 else rng.randint(1, 12) if rng.random() < 0.9 else rng.randint(13, 24)
    return prompts.story(topic, role, scene, pages, language)


def product(rng: Random, language: Language) -> list[Message]:
    """A sales prompt with some of its fields."""
    zh = language == "zh"
    name = (
        made_up(rng, language) + rng.choice(["", _tail(rng, language)]) if _coin(rng) else _tail(rng, language).strip()
    )
    features = rng.sample(words.ZH_FEATURES if zh else words.EN_FEATURES, rng.randint(1, 5))
    if rng.random() < 0.3:
        features[0] = made_up(rng, language)
    audience = rng.choice(words.ZH_AUDIENCES if zh else words.EN_AUDIENCES) if rng.random() < 0.8 else ""
    amount = f"{rng.randint(1, 2000)}{rng.choice(['', '', '.9', '.99'])}"
    price = rng.choice(
        [amount, f"{amount}元", f"¥{amount}"] if zh else [f"${amount}", f"{amount} dollars", f"£{amount}"]
    )
    promotion = rng.choice(words.ZH_PROMOTIONS if zh else words.EN_PROMOTIONS) if rng.random() < 0.8 else ""
    if promotion and _coin(rng):
        promotion = made_up(rng, language, 4)
    return prompts.product_script(name, features, audience, price if rng.random() < 0.85 else "", promotion)


def edit(rng: Random, language: Language) -> list[Message]:
    """Polishing, or one step of refining, of copy that has mistakes now and then."""
    copies = words.ZH_COPY if language == "zh" else words.EN_COPY
    text = "\n".join(rng.sample(copies, rng.choice((1, 1, 2, 3))))
    if rng.random() < 0.3:
        text = f"{made_up(rng, language)}，{text}" if language == "zh" else f"{made_up(rng, language)}: {text}"
    action = rng.choice(("polish", *ACTIONS, f"set_length_{rng.choice((30, 50, 80, 100, 150, 200))}"))
    return prompts.refine(text, action)


def talk(rng: Random, language: Language) -> list[Message]:
    """A remark of a viewer."""
    said = rng.choice(words.ZH_TALK if language == "zh" else words.EN_TALK)
    if rng.random() < 0.25:
        name = made_up(rng, language)
        said = f"你听说过{name}吗" if language == "zh" else f"have you heard of {name}?"
    return prompts.small_talk(said)


def mended(rng: Random, language: Language) -> list[Message]:
    """A story that was answered badly, and the request to mend it."""
    asked = story(rng, language)
    whole = answer(asked, rng.getrandbits(32))
    problem = "JSON 不完整" if language == "zh" else "the JSON is not complete"
    return prompts.repair(asked, whole[: rng.randint(10, min(len(whole) - 1, 200))], problem)


def mended_copy(rng: Random, language: Language) -> list[Message]:
    """Sales copy without its product, and the request to mend it."""
    asked = product(rng, language)
    name = asked[-1].content.partition("\n")[0].partition("：" if language == "zh" else ": ")[2]
    problem = f"缺少“{name}”" if language == "zh" else f"missing: {name}"
    return prompts.repair_copy(asked, answer(asked, rng.getrandbits(32)).replace(name, ""), problem)


def made_up(rng: Random, language: Language, least: int = 2) -> str:
    """A name of random characters, so that it can only be copied."""
    if language == "zh":
        return "".join(rng.choice(_COMMON) for _ in range(rng.randint(least, 6)))
    syllables = ["".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 7))) for _ in range(rng.randint(1, 2))]
    return " ".join(syllable.capitalize() for syllable in syllables)


def _role(rng: Random, language: Language) -> str:
    kind = BY_WORD[rng.choice(HEROES)]
    if language == "zh":
        name = made_up(rng, "zh")[:3] if _coin(rng) else rng.choice(ZH_NAMES)
        return rng.choice([kind.zh, name, kind.zh + name])
    name = made_up(rng, "en").split()[0] if _coin(rng) else rng.choice(EN_HE_NAMES + EN_SHE_NAMES)
    brave = f"{rng.choice(['brave', 'little', 'curious', 'old', 'shy'])} {kind.en}"
    return rng.choice([f"{article(brave)} {brave}", kind.en, name, f"{name} the {kind.en}"])


def _tail(rng: Random, language: Language) -> str:
    return rng.choice(words.ZH_PRODUCTS) if language == "zh" else " " + rng.choice(words.EN_PRODUCTS)


def _coin(rng: Random) -> bool:
    return rng.random() < 0.5
