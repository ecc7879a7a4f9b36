"""Random prompts, word for word as the pipelines of the platform make them, and what an answer must keep."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contracts import prompts
from contracts.chat import Message
from contracts.livestream import Product
from contracts.story import Story
from deployments.chat.scripted.engine import answer
from training.starter.lm.rough import roughened
from training.starter.lm.slots import Slots

ACTIONS = (
    "polish",
    "generate_draft",
    "correct_grammar",
    "make_lively",
    "make_formal",
    "make_warm",
    "add_interaction",
    "shorten",
    "expand",
)


@dataclass(frozen=True)
class Ask:
    """A prompt. `keeps` are words of it that stand in the answer; `said`: the answer where the grammar gives none."""

    task: str
    messages: list[Message]
    keeps: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    said: str = ""


def product(slots: Slots) -> Ask:
    """Sales copy; each field but the name may be missing."""
    features = list(dict.fromkeys(slots.feature() for _ in range(slots.rng.randint(1, 5))))
    if slots.coin(0.05):
        features = []
    given = Product(
        name=slots.name(),
        features=features,
        audience=slots.audience() if slots.coin(0.75) else "",
        price=slots.price() if slots.coin(0.85) else "",
        promotion=slots.promotion() if slots.coin(0.75) else "",
    )
    asked = prompts.product_script(given.name, given.features, given.audience, given.price, given.promotion)
    return Ask("product", asked, given.facts(), given.model_dump())


def story(slots: Slots) -> Ask:
    """A picture book of one to eight pages, now and then more."""
    draw = slots.rng.random()
    pages = 6 if draw < 0.3 else slots.rng.randint(1, 8) if draw < 0.95 else slots.rng.randint(9, 12)
    topic = slots.topic()
    role = slots.hero() if slots.coin(0.65) else ""
    scene = slots.scene() if slots.coin(0.65) else ""
    asked = prompts.story(topic, role, scene, pages, slots.language)
    facts = {"topic": topic, "role": role, "scene": scene, "pages": pages}
    return Ask("story", asked, [topic, role, scene], facts)


def carried_on(slots: Slots) -> Ask:
    """A picture book of which some pages are written, and the request for those that are left."""
    asked = story(slots)
    while asked.facts["pages"] < 2:
        asked = story(slots)
    whole = Story.model_validate_json(answer(asked.messages, slots.rng.getrandbits(32)))
    kept = slots.rng.randint(1, asked.facts["pages"] - 1)
    first = whole.model_copy(update={"pages": whole.pages[:kept]}).model_dump()
    rest = {"pages": [page.model_dump() for page in whole.pages[kept:]]}
    messages = prompts.carry_on(asked.messages, json.dumps(first, ensure_ascii=False), kept, len(whole.pages) - kept)
    return Ask("carried_on", messages, [], asked.facts, json.dumps(rest, ensure_ascii=False))


def edit(slots: Slots, action: str = "") -> Ask:
    """One editing step of a text with mistakes here and there; an idea is what a draft is made from."""
    action = action or slots.rng.choice(("polish", "polish", *ACTIONS, "set_length", "set_length"))
    if action == "set_length":
        action += f"_{slots.rng.choice((50, 100, 200, slots.rng.randint(20, 250)))}"
    text = slots.filled("ideas") if action == "generate_draft" and slots.coin(0.6) else _text(slots)
    return Ask("edit", prompts.refine(text, action), [], {"text": text, "action": action})


def mended(slots: Slots) -> Ask:
    """An answer that was refused, what was wrong with it, and the request to mend it."""
    make = slots.rng.choice((story, product, length))
    asked = make(slots)
    whole = answer(asked.messages, slots.rng.getrandbits(32))
    zh = slots.language == "zh"
    if make is story:
        bad = whole[: slots.rng.randint(10, min(len(whole) - 1, 150))]
        problem = slots.rng.choice(["JSON 不完整", "Invalid JSON: EOF while parsing", "the JSON is not complete"])
        return Ask("mended", prompts.repair(asked.messages, bad, problem), asked.keeps, asked.facts)
    if make is product:
        lost = slots.rng.choice(asked.keeps)
        bad, problem = whole.replace(lost, "它" if zh else "it"), f"缺少“{lost}”"
        return Ask("mended", prompts.repair_copy(asked.messages, bad, problem), asked.keeps, asked.facts)
    wanted = int(asked.facts["action"].rpartition("_")[2])
    bad = asked.facts["text"] if slots.coin() else whole[: max(5, len(whole) // 2)]
    low, high = -(-wanted * 8 // 10), wanted * 12 // 10
    problem = f"现有 {prompts.length_of(bad)} 个字，应为 {low} 到 {high} 个字"
    said = answer(asked.messages, slots.rng.getrandbits(32))  # not the second answer, which overshoots on purpose
    return Ask("mended", prompts.repair_copy(asked.messages, bad, problem), [], asked.facts, said)


def length(slots: Slots) -> Ask:
    return edit(slots, "set_length")


def followed(slots: Slots) -> Ask:
    """A question about the product or the story that the conversation has written."""
    about = slots.rng.choice((product, product, story))(slots)
    whole = answer(about.messages, slots.rng.getrandbits(32))
    if about.task == "story":
        wanted = slots.rng.choice(("hero", "title"))
        value = str(getattr(Story.model_validate_json(whole), wanted)).rstrip("。.")
    else:
        wanted = slots.rng.choice(("price", "promotion", "name"))
        value = about.facts[wanted]
    said = slots.rng.choice(slots.table[f"say_{wanted if value else 'none'}"]).replace("{value}", value)
    question = Message(role="user", content=slots.of(f"ask_{wanted}"))
    before = [*about.messages, Message(role="assistant", content=whole), question]
    return Ask("followed", before, [value] if value else [], {}, said)


def _text(slots: Slots) -> str:
    """What a seller might have written: plain sentences, or copy of the grammar's; with mistakes now and then."""
    if slots.coin(0.25):
        asked = product(slots)
        lines = answer(asked.messages, slots.rng.getrandbits(32)).split("\n")
        text = "\n".join(slots.rng.sample(lines, slots.rng.randint(1, len(lines))))
    else:
        gap = slots.rng.choice(["\n", "", "。", "，"] if slots.language == "zh" else ["\n", " ", ". "])
        line = slots.invented if slots.coin(0.25) else partial(slots.filled, "copy")
        if slots.coin(0.2):  # one sentence about several things: what comes next is told by what came long before
            line = partial(slots.fill, slots.of("copy"))
        text = gap.join(line() for _ in range(slots.rng.choice((1, 1, 2, 3, 4))))
    return roughened(text, slots.rng, slots.language) if slots.coin(0.3) else text
