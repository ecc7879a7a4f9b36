"""What stories for children are mostly about: by the words in which a topic says so, and a story that tells of it."""

import re

THEMES = {  # the first whose words a topic has
    "share": r"分享|大方|自私|shar(?:e|es|ed|ing)\b|generous|selfish",
    "courage": r"勇|胆|怕|brav|courage|afraid|fear|scared|dark",
    "wonder": r"为什么|怎么|为何|什么是|好奇|科学|[?？]|\bwhy\b|\bhow\b|\bwhat\b|wonder|curious|science",
    "festival": r"节(?!约)|生日|派对|庆|新年|圣诞|festival|birthday|party|christmas|new year|holiday|feast|celebrat",
    "help": r"帮|助人|善良|关心|照顾|爱护|节约|谢|回家|迷路|help|thank|kind(?:ness)?\b|care|home",
    "lost": r"诚实|honest|丢|失|找|寻|不见|宝藏|lost|los(?:e|ing)|find|missing|search|treasure",
    "friend": r"上学|school|朋友|友谊|友情|伙伴|孤单|friend|lonely|together",
    "journey": (
        r"耐心|坚持|patien|旅|冒险|探险|远方|去看|出发|journey|travel|adventure|explor|trip|voyage|visit|moon|star"
    ),
}

TOLD = {  # words in which a story tells of it that no topic has
    "share": r"分给|分出去|分成|分你|一起吃|一半|一人一|每人一|\bhalf\b|enough for (?:both|all|everyone)",
}


def theme_of(topic: str) -> str:
    """Empty where none of them is known in it."""
    low = topic.lower()
    return next((theme for theme, words in THEMES.items() if re.search(words, low)), "")


def tells_of(theme: str, story: str) -> bool:
    """Whether it has any of the theme's words; of no theme, any story tells."""
    words = filter(None, (THEMES.get(theme), TOLD.get(theme)))
    return not theme or any(re.search(each, story.lower()) for each in words)
