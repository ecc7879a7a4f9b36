"""Small talk, requests in free words, and questions from outside the model's world with polite answers."""

import re
from random import Random

from contracts import prompts
from contracts.chat import Message
from contracts.prompts import Language
from deployments.chat.scripted import livestream, story, talk
from deployments.chat.scripted.engine import answer
from deployments.chat.scripted.talk_words import ACKNOWLEDGE, INTENTS, STORY
from deployments.chat.scripted.task import ProductTask, StoryTask, TalkTask
from training.starter.lm.asks import Ask
from training.starter.lm.slots import TABLES, Slots

_NOISE = "😀🌈🎉❤️♪★#@&*+=~^|<>/\\éüñçаяいのはカأبक한국"


def chat(slots: Slots) -> Ask:
    """A viewer's remark, sometimes after others, with or without the system prompt."""
    said = slots.filled("remarks")
    messages = prompts.small_talk(said)
    if slots.coin(0.2):
        earlier = slots.filled("remarks")
        before = [Message(role="user", content=earlier), Message(role="assistant", content=reply(earlier, slots))]
        messages = [messages[0], *before, messages[1]]
    return Ask("talk", _freed(messages, slots), [said], {"said": said}, reply(said, slots))


def outside(slots: Slots) -> Ask:
    """Something that the model cannot know, or that means nothing at all."""
    said = slots.filled("outside")
    if slots.coin(0.2):
        said = "".join(slots.rng.choice([slots.invented(), " ", *_NOISE]) for _ in range(slots.rng.randint(1, 9)))
    elif slots.coin(0.15):
        said += slots.rng.choice("。！？!?~ ") + slots.filled("outside")
    said = said.strip() or "?"
    language = prompts.language_of(said)
    answered = reply(said, Slots(slots.rng, language, slots.held_out))
    return Ask("outside", _freed(prompts.small_talk(said), slots), [said], {"said": said}, answered)


def echo(slots: Slots) -> Ask:
    """Words of no meaning that are to be said again as they are."""
    gap = slots.rng.choice(["，", "。", ""] if slots.language == "zh" else [", ", ". ", " "])
    text = gap.join(slots.invented() for _ in range(slots.rng.randint(1, 8)))
    asked = [Message(role="user", content=slots.of("ask_echo").replace("{text}", text))]
    return Ask("echo", asked, [text], {}, text)


def free(slots: Slots) -> Ask:
    """Copy or a story asked for in a sentence, as people do in a chat."""
    if slots.coin():
        name, feature, price = slots.name(), slots.feature(), slots.price()
        line = slots.of("free_copy")
        said = line.replace("{name}", name).replace("{feature}", feature).replace("{price}", price)
        features = (feature,) if "{feature}" in line else ()
        task = ProductTask(name, features, price=price if "{price}" in line else "", language=slots.language)
        keeps = [name, *features, *([price] if task.price else [])]
        return Ask("free", _freed(prompts.small_talk(said), slots), keeps, {}, livestream.write(task, slots.rng))
    topic = slots.topic()
    said = slots.of("free_story").replace("{topic}", topic)
    told = story.write(StoryTask(topic, pages=2, language=slots.language), slots.rng)
    text = ("" if slots.language == "zh" else " ").join(page.text for page in told.pages)
    return Ask("free", _freed(prompts.small_talk(said), slots), [topic], {}, text)


def reply(said: str, slots: Slots) -> str:
    """The grammar's reply; who the model is and what it cannot do are said in words of its own."""
    side = 0 if slots.language == "zh" else 1
    table, low = TABLES[slots.language], said.lower()
    if re.search(STORY[side], low):
        return answer(prompts.small_talk(said), slots.rng.getrandbits(32))
    intent = next((intent[0] for intent in INTENTS if re.search(intent[1 + side], low)), "")
    if intent == "identity":
        return slots.rng.choice(table["identity"])
    if intent == "cannot" or (not intent and slots.coin(0.6)):
        return slots.rng.choice(table["polite"])
    return talk.reply(TalkTask(prompts.one_line(said), slots.language), slots.rng)


def polite(said: str, text: str) -> bool:
    """Whether the text is a reply that small talk has for such words: a standing one, or one that quotes them."""
    return any(text == line or _quotes(line, said, text) for language in TABLES for line in _replies(language))


def _replies(language: Language) -> list[str]:
    side, table = int(language == "en"), TABLES[language]
    blocks = [intent[3 + side] for intent in INTENTS] + [ACKNOWLEDGE[side]]
    lines = [line.strip() for block in blocks for line in block.strip().splitlines()]
    return [*lines, *table["identity"], *table["polite"]]


def _quotes(line: str, said: str, text: str) -> bool:
    before, blank, after = line.partition("{said}")
    if not blank or not (text.startswith(before) and text.endswith(after)):
        return False
    return text[len(before) : len(text) - len(after)].rstrip("…") in prompts.one_line(said)


def _freed(messages: list[Message], slots: Slots) -> list[Message]:
    """Without the system prompt now and then, or with another one, as free clients of `/v1` send them."""
    draw = slots.rng.random()
    if draw < 0.7:
        return messages
    other = Random(slots.rng.getrandbits(32)).choice(  # noqa: S311
        [
            "You are a helpful assistant.",
            "你是一个有用的助手。",
            "你是一位专业的助手，请回答用户的问题。",
            slots.invented(),
        ]
    )
    return messages[1:] if draw < 0.85 else [Message(role="system", content=other), *messages[1:]]
