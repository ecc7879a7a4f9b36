"""Small talk: short, honest replies in the viewer's language."""

import re
from random import Random

from deployments.chat.scripted import story
from deployments.chat.scripted.tables import choose, fill
from deployments.chat.scripted.talk_words import ACKNOWLEDGE, EMPTY, INTENTS, STORY
from deployments.chat.scripted.task import StoryTask, TalkTask


def reply(task: TalkTask, rng: Random) -> str:
    """A reply to what was said; what is not understood is acknowledged in the viewer's own words."""
    side = 0 if task.language == "zh" else 1
    low = task.text[:500].lower()
    if not low:
        return choose(rng, EMPTY[side])
    if re.search(STORY[side], low):
        return _told(task, rng)
    for intent in INTENTS:
        if re.search(intent[1 + side], low):
            return choose(rng, intent[3 + side])
    return fill(choose(rng, ACKNOWLEDGE[side]), {"said": story.excerpt(task.text, 30).rstrip("。.！!？?")})


def _told(task: TalkTask, rng: Random) -> str:
    """A very short story about what was asked for, as prose."""
    about = re.sub(r".*?(?:讲|听)(?:一?个|一段)?(?:关于)?|的?故事.*", "", task.text[:500])
    if task.language == "en":
        named = re.search(r"(?i)\b(?:story|tale) (?:about|of) (.+)", task.text[:500])
        about = named[1].rstrip(".?!") if named else ""
    written = story.write(StoryTask(about, pages=2, language=task.language), rng)
    return ("" if task.language == "zh" else " ").join(page.text for page in written.pages)
