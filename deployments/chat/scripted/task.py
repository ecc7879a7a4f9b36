"""What a conversation asks for, read from the labelled lines of its user messages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from contracts.chat import Message
from contracts.prompts import TALK_SYSTEM, Language, language_of, one_line

_LABELS: dict[str, tuple[str, Language]] = {
    "主题": ("topic", "zh"),
    "题目": ("topic", "zh"),
    "主角": ("role", "zh"),
    "角色": ("role", "zh"),
    "场景": ("scene", "zh"),
    "地点": ("scene", "zh"),
    "页数": ("pages", "zh"),
    "topic": ("topic", "en"),
    "theme": ("topic", "en"),
    "main character": ("role", "en"),
    "role": ("role", "en"),
    "setting": ("scene", "en"),
    "scene": ("scene", "en"),
    "pages": ("pages", "en"),
    "商品": ("product", "zh"),
    "卖点": ("feature", "zh"),
    "目标人群": ("audience", "zh"),
    "价格": ("price", "zh"),
    "促销": ("promotion", "zh"),
    "product": ("product", "en"),
    "feature": ("feature", "en"),
    "audience": ("audience", "en"),
    "price": ("price", "en"),
    "promotion": ("promotion", "en"),
    "操作": ("action", "zh"),
    "要求": ("requirement", "zh"),
    "原文": ("text", "zh"),
    "action": ("action", "en"),
    "requirement": ("requirement", "en"),
    "text": ("text", "en"),
}
_LINE = re.compile(
    r"\s*(" + "|".join(sorted(_LABELS, key=len, reverse=True)) + r")\s*[:：][ \t\u3000]*(.*)", re.I | re.S
)
_PROBLEM = re.compile(r"\s*(问题|problem)\s*[:：]", re.I)


@dataclass(frozen=True)
class StoryTask:
    """A picture book. Empty `role` or `scene` means: choose one."""

    topic: str
    role: str = ""
    scene: str = ""
    pages: int = 6
    language: Language = "zh"


@dataclass(frozen=True)
class ProductTask:
    """Sales copy. What is empty is not mentioned."""

    name: str = ""
    features: tuple[str, ...] = ()
    audience: str = ""
    price: str = ""
    promotion: str = ""
    language: Language = "zh"


@dataclass(frozen=True)
class EditTask:
    """One editing step on a text that may have several lines. `counted`: how long an earlier answer was found."""

    action: str
    text: str
    language: Language = "zh"
    counted: int | None = None


@dataclass(frozen=True)
class TalkTask:
    """A remark to answer, in its own language."""

    text: str
    language: Language = "zh"


Task = StoryTask | ProductTask | EditTask | TalkTask


@dataclass
class _Labels:
    single: dict[str, str] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    language: Language = "zh"


def read(messages: Sequence[Message]) -> Task:
    """The task of the latest labelled user message (a repair has none of its own); without one, small talk."""
    said = [message.content for message in messages if message.role == "user"]
    talking = any(message.role == "system" and message.content in TALK_SYSTEM.values() for message in messages)
    if not talking:
        for content in reversed(said):
            if task := _labelled(content):
                return replace(task, counted=_counted(said[-1])) if isinstance(task, EditTask) else task
            if not _PROBLEM.match(content):
                break
    last = said[-1] if said else messages[-1].content
    return TalkTask(text=one_line(last), language=language_of(last))


def _labelled(content: str) -> Task | None:
    labels = _parse(content)
    value = labels.single.get
    if "text" in labels.single:
        return EditTask(value("action", "polish"), value("text", ""), labels.language)
    if "product" in labels.single or labels.features:
        return ProductTask(
            value("product", ""),
            tuple(labels.features),
            value("audience", ""),
            value("price", ""),
            value("promotion", ""),
            labels.language,
        )
    if "topic" in labels.single or {"role", "pages"} <= labels.single.keys():
        return StoryTask(
            value("topic", ""), value("role", ""), value("scene", ""), _pages(value("pages", "")), labels.language
        )
    if labels.single.keys() & {"audience", "price", "promotion"}:
        return ProductTask("", (), value("audience", ""), value("price", ""), value("promotion", ""), labels.language)
    return None


def _parse(content: str) -> _Labels:
    """The labelled lines; the first of a kind wins, and a text takes everything that follows it."""
    found, lines = _Labels(), content.split("\n")
    for index, line in enumerate(lines):
        if not (match := _LINE.fullmatch(line)):
            continue
        name, language = _LABELS[match[1].lower()]
        if not found.single and not found.features:
            found.language = language
        if name == "text":
            found.single["text"] = "\n".join([match[2], *lines[index + 1 :]]).strip()
            return found
        if name == "feature":
            found.features.append(match[2].strip())
        else:
            found.single.setdefault(name, match[2].strip())
    return found


def _counted(problem: str) -> int | None:
    """The length that whoever refused an answer found; what they count may not be what was written."""
    told = re.match(_PROBLEM.pattern + r"\s*现有 (\d{1,6}) 个字", problem, re.I)
    return int(told[2]) if told else None


def _pages(text: str) -> int:
    digits = re.search(r"\d{1,4}", text)
    return min(max(int(digits[0]), 1), 24) if digits else 6
