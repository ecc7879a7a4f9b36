"""Which plot suits a topic, and what it needs: a thing, a sight, a feast, a question."""

# ruff: noqa: E501 (tables)

import re
from dataclasses import dataclass
from random import Random

from contracts.themes import theme_of
from deployments.chat.scripted.words import COLOURS, EN_THINGS, THINGS, TOYS, ZH_THINGS

PLOTS = ("lost", "journey", "friend", "courage", "festival", "help", "share", "wonder")
_FIRST_TIMES = r"学会|学游|第一次|learn|first time"  # of somebody who dares to, where nothing else is said
SIGHTS = [
    ("日出", "the sunrise", "sunrise", r"日出|太阳|sunrise|sun\b"),
    ("满天的星星", "the sky full of stars", "night", r"星|太空|宇宙|stars?\b|space|galaxy"),
    ("又大又圆的月亮", "the big round moon", "night", r"月|moon"),
    ("雨后的彩虹", "the rainbow after the rain", "rainbow", r"彩虹|rainbow"),
    ("金色的夕阳", "the golden sunset", "sunset", r"夕阳|日落|晚霞|sunset"),
]
FEASTS = [
    ("灯笼节", "lantern festival"),
    ("丰收节", "harvest festival"),
    ("星光晚会", "starlight party"),
    ("生日会", "birthday party"),
    ("蛋糕节", "cake festival"),
]
_FEAST_WORDS = [
    (r"生日|birthday", ("生日会", "birthday party")),
    (r"春节|新年|过年|new year", ("新年", "New Year party")),
    (r"中秋", ("中秋节", "Moon Festival")),
    (r"元宵|灯笼|lantern", ("元宵节", "Lantern Festival")),
    (r"圣诞|christmas", ("圣诞节", "Christmas party")),
]
QUESTIONS = [
    ("天空为什么是蓝的", "Why is the sky blue"),
    ("彩虹是从哪里来的", "Where does the rainbow come from"),
    ("星星为什么会眨眼睛", "Why do the stars twinkle"),
    ("月亮为什么会变弯", "Why does the moon change its shape"),
    ("雨是从哪里来的", "Where does the rain come from"),
    ("叶子为什么会变黄", "Why do the leaves turn yellow"),
]
_FACTS = [
    (
        r"蓝|blue",
        "书上说：太阳光里藏着许多颜色，蓝色的光碰到空气，就跳来跳去，洒满了整个天空。",
        "It said that sunlight hides many colours, and that blue light bounces around in the air until it fills the sky.",
    ),
    (
        r"彩虹|rainbow",
        "书上说：雨后的小水滴把阳光分成红橙黄绿蓝靛紫，就成了彩虹。",
        "It said that tiny drops of water split the sunlight into all its colours, and that makes a rainbow.",
    ),
    (
        r"星|star|twinkl",
        "书上说：星光穿过晃动的空气才来到我们眼前，所以星星看起来一闪一闪的。",
        "It said that starlight has to cross the moving air on its way to our eyes, and that is why the stars twinkle.",
    ),
    (
        r"月|moon",
        "书上说：月亮自己不发光，太阳照亮它的哪一面，我们就看见哪一面。",
        "It said that the moon has no light of its own, and that we see only the part lit by the sun.",
    ),
    (
        r"雨|rain",
        "书上说：水变成看不见的水汽飞上天，聚成云，太重了就变成雨落下来。",
        "It said that water rises into the air, gathers into clouds, and falls as rain when the drops grow heavy.",
    ),
    (
        r"叶|leaf|leaves",
        "书上说：秋天来了，叶子里的绿色慢慢走了，藏着的黄色就露了出来。",
        "It said that in autumn the green in the leaves fades away, and the yellow that was hidden shows at last.",
    ),
]
_NO_FACT = (
    "书上没有写完答案，只写着一句话：请你自己去看一看，试一试，再来把它写完。",
    "The book did not hold the whole answer. It only said: go and look, go and try, and then write the rest yourself.",
)


@dataclass(frozen=True)
class Matter:
    """What a story is about: its plot and the words that the plot needs. `sky` pins the turn's sky, if any."""

    plot: str
    thing: str
    sight: str
    feast: str
    question: str
    fact: str
    sky: str


def choose(topic: str, excerpt: str, language: str, rng: Random) -> Matter:
    """The plot that the topic suits, or any; objects that the topic names are used."""
    low, side = topic.lower(), 0 if language == "zh" else 1
    plot = theme_of(topic) or ("courage" if re.search(_FIRST_TIMES, low) else rng.choice(PLOTS))
    sights = [sight for sight in SIGHTS if re.search(sight[3], low)] or SIGHTS
    sight = rng.choice(sights)
    question = excerpt.rstrip("?？。.!！… ")
    if not re.search(r"为什么|怎么|为何|什么|\bwhy\b|\bhow\b|\bwhat\b|\bwhere\b|[?？]", low) or not question:
        question = rng.choice(QUESTIONS)[side]
    return Matter(
        plot,
        _thing(low, plot, side, rng),
        sight[side],
        next((feast for word, feast in _FEAST_WORDS if re.search(word, low)), rng.choice(FEASTS))[side],
        question[:1].upper() + question[1:] if side and question[:1].isascii() else question,
        next((fact for fact in _FACTS if re.search(fact[0], question.lower())), ("", *_NO_FACT))[1 + side],
        {"journey": sight[2], "courage": "night", "festival": "night"}.get(plot, ""),
    )


def _thing(topic: str, plot: str, side: int, rng: Random) -> str:
    words = EN_THINGS if side else ZH_THINGS
    named = [index for word, index in words.items() if word in topic]
    index = named[0] if named else rng.randrange(len(THINGS))
    if plot == "courage":
        index = 2
    elif plot == "friend" and index not in TOYS:
        index = rng.choice(TOYS)
    colour = rng.choice(COLOURS)[side]
    return f"{colour} {THINGS[index][1]}" if side else f"{colour}{THINGS[index][0]}"
