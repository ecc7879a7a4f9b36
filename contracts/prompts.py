"""The prompts that pipelines send to any chat model, in Chinese and English. User values never leave their line."""

import re
from collections.abc import Sequence
from typing import Literal

from contracts.chat import Message

Language = Literal["zh", "en"]

_IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")

_STORY_SYSTEM = {
    "zh": (
        "你是一位给孩子写图画书的作家。请只回答一个 JSON 对象，不要写任何别的文字。它的字段是：\n"
        "title：书名；\n"
        "hero：主角的样子，写明是什么动物或什么人、身上的颜色、穿戴；\n"
        "pages：数组，每一页是 {text, picture}。text 是这一页讲的两三句话；"
        "picture 用一句话说明插图画了什么，写出地点、时间和画面里的东西。\n"
        "故事要温暖、连贯，适合孩子听；页数和要求的一样多；每一页的插图要和文字一致。"
    ),
    "en": (
        "You write picture books for children. Answer with one JSON object only and nothing around it. Its fields:\n"
        "title: the title of the book;\n"
        "hero: what the main character looks like: which animal or person, colours, clothing;\n"
        "pages: an array, each page is {text, picture}. text: the two or three sentences told on the page; "
        "picture: one sentence that says what the illustration shows, naming the place, the time of day and the things "
        "in it.\n"
        "Keep the story warm and coherent, write exactly as many pages as asked, and let every picture show what its "
        "page tells."
    ),
}
_STORY_LABELS = {
    "zh": ("主题：", "主角：", "场景：", "页数："),
    "en": ("Topic: ", "Main character: ", "Setting: ", "Pages: "),
}
_REPAIR = {
    "zh": "问题：{problem}\n上面的回答不符合要求。请改正它，只输出改正后的完整 JSON 对象。",
    "en": "Problem: {problem}\nThe answer above is not what was asked for. Correct it and answer with the whole "
    "corrected JSON object only.",
}
_CONTINUE = {
    "zh": "前 {kept} 页写得很好。请接着把后面的 {left} 页写完，不要重复前面的内容，只输出一个 JSON 对象："
    "它只有一个字段 pages，里面是这 {left} 页。",
    "en": "The first {kept} pages are good. Go on and write the {left} pages that are left, repeat nothing, and answer "
    "with one JSON object only: its one field is pages, with these {left} pages.",
}
_REPAIR_COPY = {
    "zh": "问题：{problem}\n上面的文字不符合要求。请改正它，只输出改正后的全文。",
    "en": "Problem: {problem}\nThe text above is not what was asked for. Correct it and answer with the whole "
    "corrected text only.",
}
_PRODUCT_SYSTEM = {
    "zh": (
        "你是一位带货主播的文案。请根据商品信息写一段可以直接念出来的口播稿，语气亲切自然。"
        "商品名、每一个卖点、目标人群、价格和促销都要原样出现；没有给出的信息不要编造；"
        "不要使用“最”“第一”“国家级”“绝对”之类广告法禁止的说法。只输出口播稿。"
    ),
    "en": (
        "You write what a livestream seller says. Turn the product facts into friendly, natural spoken copy. "
        "The product's name, every feature, the audience, the price and the promotion must appear word for word. "
        "Invent nothing that is not given, and use no superlatives. Answer with the copy only."
    ),
}
_PRODUCT_LABELS = {
    "zh": ("商品：", "卖点：", "目标人群：", "价格：", "促销："),
    "en": ("Product: ", "Feature: ", "Audience: ", "Price: ", "Promotion: "),
}
_EDIT_SYSTEM = {
    "zh": "你是直播文案的编辑。按要求修改原文，保留原文的意思和事实，不要编造信息。只输出改好的文字。",
    "en": "You edit livestream copy. Change the text as required, keep its meaning and facts, and invent nothing. "
    "Answer with the edited text only.",
}
_EDIT_LABELS = {"zh": ("操作：", "要求：", "原文：\n"), "en": ("Action: ", "Requirement: ", "Text:\n")}
_ACTIONS = {
    "zh": {
        "polish": "把原文润色得更流畅、更有感染力",
        "generate_draft": "根据原文写出一份完整的直播口播初稿",
        "correct_grammar": "改正语病、错别字和标点，不改变意思",
        "make_lively": "让语气更活泼",
        "make_formal": "让语气更正式、稳重",
        "make_warm": "让语气更温暖、亲切",
        "add_interaction": "加上和观众的互动，例如提一个问题，或者请大家在公屏上留言",
        "shorten": "缩短，保留要点",
        "expand": "扩写，让内容更充实",
        "set_length": "把长度调整到大约 {length} 个字，标点算，空白不算",
        "other": "按操作的意思修改",
    },
    "en": {
        "polish": "Make the text smoother and more engaging",
        "generate_draft": "Write a complete draft of a livestream script from the text",
        "correct_grammar": "Correct grammar, spelling and punctuation without changing the meaning",
        "make_lively": "Make the tone livelier",
        "make_formal": "Make the tone more formal and composed",
        "make_warm": "Make the tone warmer and kinder",
        "add_interaction": "Talk with the viewers: add a question, or ask them to write in the chat",
        "shorten": "Make it shorter and keep the points",
        "expand": "Make it longer and fuller",
        "set_length": "Bring it to about {length} characters",
        "other": "Change the text as the action says",
    },
}
TALK_SYSTEM = {
    "zh": "你是一位友好的数字人主播，正在和观众聊天。用观众的语言，用一两句口语回答，不知道的事情就说不知道。",
    "en": "You are a friendly digital host who is chatting with a viewer. Answer in the viewer's language, "
    "in one or two spoken sentences, and say so when you do not know something.",
}


def language_of(text: str) -> Language:
    """`zh` when the text has CJK ideographs, else `en`."""
    return "zh" if _IDEOGRAPH.search(text) else "en"


def length_of(text: str) -> int:
    """How long a text is, in characters: Chinese without its whitespace, else with single spaces."""
    return len(("" if language_of(text) == "zh" else " ").join(text.split()))


def one_line(text: str) -> str:
    """The text on one line: every run of whitespace becomes one space, so that a value cannot forge a label."""
    return " ".join(text.split())


def story(topic: str, role: str, scene: str, pages: int, language: Language) -> list[Message]:
    """Ask for a picture-book story of so many pages as one JSON object (`contracts.story.Story`)."""
    values = (one_line(topic), one_line(role), one_line(scene), str(pages))
    topic_label, role_label, scene_label, pages_label = _STORY_LABELS[language]
    lines = [topic_label + values[0]]
    lines += [label + value for label, value in ((role_label, values[1]), (scene_label, values[2])) if value]
    return _ask(_STORY_SYSTEM[language], "\n".join([*lines, pages_label + values[3]]))


def repair(messages: Sequence[Message], answer: str, problem: str) -> list[Message]:
    """The same conversation with its faulty answer and what was wrong, asking for the corrected JSON."""
    return _repair(_REPAIR, messages, answer, problem)


def carry_on(messages: Sequence[Message], story: str, kept: int, left: int) -> list[Message]:
    """The same conversation with the part of the story that is good, as JSON, asking for the pages that are left."""
    request = _CONTINUE[language_of(messages[0].content)].format(kept=kept, left=left)
    return [*messages, Message(role="assistant", content=story), Message(role="user", content=request)]


def repair_copy(messages: Sequence[Message], answer: str, problem: str) -> list[Message]:
    """The same for an answer that is plain text."""
    return _repair(_REPAIR_COPY, messages, answer, problem)


def product_script(name: str, features: Sequence[str], audience: str, price: str, promotion: str) -> list[Message]:
    """Ask for livestream sales copy. Each feature has its own line; what is empty is left out."""
    given = [name, *features, audience, price, promotion]
    language = language_of("".join(given))
    labels = _PRODUCT_LABELS[language]
    pairs = [(labels[0], name), *((labels[1], feature) for feature in features)]
    pairs += zip(labels[2:], (audience, price, promotion), strict=True)
    lines = [label + one_line(value) for label, value in pairs if one_line(value)]
    return _ask(_PRODUCT_SYSTEM[language], "\n".join(lines))


def polish(content: str) -> list[Message]:
    """Ask for a smoother, more engaging version of the text."""
    return refine(content, "polish")


def refine(text: str, action: str) -> list[Message]:
    """Ask for one editing step: `generate_draft`, `correct_grammar`, `set_length_<n>`, `make_lively`,
    `make_formal`, `make_warm`, `add_interaction`, `shorten`, `expand`, or any other instruction in words."""
    language = language_of(text or action)
    action_label, requirement_label, text_label = _EDIT_LABELS[language]
    action = one_line(action)
    length = re.fullmatch(r"set_length_(\d+)", action)
    wanted = _ACTIONS[language]["set_length" if length else action if action in _ACTIONS[language] else "other"]
    requirement = wanted.format(length=length[1]) if length else wanted
    return _ask(
        _EDIT_SYSTEM[language],
        f"{action_label}{action}\n{requirement_label}{requirement}\n{text_label}{text}",
    )


def small_talk(text: str, before: Sequence[Message] = ()) -> list[Message]:
    """Ask for a short spoken reply to a viewer; `before`: what was said so far, by turns."""
    system, asked = _ask(TALK_SYSTEM[language_of(text)], text)
    return [system, *before, asked]


def _repair(words: dict[str, str], messages: Sequence[Message], answer: str, problem: str) -> list[Message]:
    asked = "".join(message.content for message in messages if message.role != "assistant")
    request = words[language_of(asked)].format(problem=one_line(problem))
    return [*messages, Message(role="assistant", content=answer), Message(role="user", content=request)]


def _ask(system: str, user: str) -> list[Message]:
    return [Message(role="system", content=system), Message(role="user", content=user)]
