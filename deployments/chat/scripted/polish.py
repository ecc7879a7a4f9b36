"""Editing of livestream copy: the author's own words stay, marks are put right, and what an action asks is added."""

import re
from random import Random

from contracts.prompts import length_of
from deployments.chat.scripted import lengths, marks
from deployments.chat.scripted.polish_words import EN, FORMAL, WARMER, ZH
from deployments.chat.scripted.task import EditTask

_TABLES = {"zh": ZH, "en": EN}
_ACTIONS = [
    ("set_length", r"set_length_?\d+|\d+\s*(?:个?字|char|word)"),
    ("generate_draft", r"draft|初稿|草稿|生成"),
    ("correct_grammar", r"grammar|correct|spell|语法|纠正|改错|错别字|病句"),
    ("make_lively", r"lively|fun|energetic|活泼|生动|热情"),
    ("make_formal", r"formal|serious|正式|稳重|专业"),
    ("make_warm", r"warm|kind|friendly|温暖|亲切|温柔"),
    ("add_interaction", r"interact|question|互动|提问"),
    ("shorten", r"short|concise|brief|缩短|精简|简洁"),
    ("expand", r"expand|longer|extend|扩写|扩展|丰富|详细"),
]
_GREETED = {
    "zh": r"^(?:大家|各位|家人|朋友|哈喽|你好|您好|宝宝|嗨)",
    "en": r"(?i)^(?:hello|hi\b|hey|welcome|good (?:morning|evening|day|afternoon)|dear)",
}


def edit(task: EditTask, rng: Random) -> str:
    """The text after one editing step. An empty text gets a greeting and a closing; an unknown action polishes."""
    return _Editor(task, rng).edited()


class _Editor:
    def __init__(self, task: EditTask, rng: Random) -> None:
        self.task, self.rng, self.language = task, rng, task.language
        self.lines = {
            part: [line.strip() for line in block.strip().splitlines()]
            for part, block in _TABLES[self.language].items()
        }
        self.text = marks.clean(task.text, self.language)

    def edited(self) -> str:
        """What the action makes of the text."""
        asked = self.task.action.lower()
        action = next((name for name, pattern in _ACTIONS if re.search(pattern, asked)), "polish")
        done: str = getattr(self, f"_{action}")()
        return done or self._polish()

    def _correct_grammar(self) -> str:
        return marks.correct(self.task.text, self.language)

    def _set_length(self) -> str:
        size = int(re.findall(r"\d+", self.task.action)[0][:6])
        if self.task.counted is not None:  # as much more as was missing
            size += size - self.task.counted
        own = [filler for filler in self.lines["filler"] if filler not in self.text]
        return lengths.fit(self.text, size, own, self.language, self.rng)

    def _shorten(self) -> str:
        """About 60 % of the text, from its beginning, in whole clauses."""
        return lengths.trim(self.text, max(length_of(self.text) * 6 // 10, 8), self.language) if self.text else ""

    def _expand(self) -> str:
        return self._join(
            self._opening(self.text), self.text, *self.rng.sample(self.lines["draft"], 2), self._pick("closing")
        )

    def _generate_draft(self) -> str:
        """A greeting, the text as the subject, what the audience may expect, and a closing."""
        body = self.text
        if self.text and len(self.task.text.strip()) <= 20 and not re.search(r"[。！？.!?，,]", self.task.text):
            subject = self.task.text.strip()
            body = (
                f"今天要和大家聊的是：{subject}。" if self.language == "zh" else f"Today is all about this: {subject}."
            )
        opening = self._opening(body)
        rest = self.rng.sample(self.lines["draft"], 3)
        return "\n".join([self._join(opening, body), self._join(*rest), self._pick("closing")])

    def _make_lively(self) -> str:
        """Greeting and questions around the text; its plain sentences end with an exclamation mark."""
        text = self._join(self._opening(self.text), self._warm(self.text))
        if self.language == "zh":
            text = re.sub(r"(?<=[^。！？…])。", "！", text)
        else:
            text = re.sub(r"(?<=[a-z]{2})\.(?=\s|$)", "!", text)
        return self._join(text, self._pick("lively"))

    def _make_formal(self) -> str:
        """Quiet sentences, without the words of the street."""
        text = self.text
        for word, formal in FORMAL[self.language]:
            text = re.sub(word, formal, text)
        text = re.sub("！+", "。", text) if self.language == "zh" else re.sub(r"!+", ".", text)
        opening = self._pick("formal_greeting") if self._opening(text) else ""
        return self._join(opening, text, self._pick("formal_closing"))

    def _make_warm(self) -> str:
        """Kind words around the text."""
        text = self._warm(self.text)
        opening = self._pick("warm_greeting") if self._opening(text) else ""
        return self._join(opening, text, self._pick("warm_closing"))

    def _add_interaction(self) -> str:
        """One more question to the viewers, another one each time."""
        asked = [line for line in self.lines["question"] if line not in self.text]
        return self._join(self.text, self.rng.choice(asked or self.lines["question"]))

    def _polish(self) -> str:
        said = marks.sentences(self._warm(self.text), self.language)
        if len(said) > 2 and not re.match(r"接下来|说到|来|大家|但|不过|所以|而|(?i:now|and|but|so)\b", said[1]):
            bridge = self._pick("bridge")
            said[1] = bridge + ("" if self.language == "zh" else " ") + said[1]
        text = self._join(*said)
        opening = self._opening(text)
        return self._join(opening, text, self._pick("closing"))

    def _opening(self, text: str) -> str:
        """A greeting, where the text has none, that does not welcome twice."""
        if re.search(_GREETED[self.language], text):
            return ""
        welcome = "欢迎" if self.language == "zh" else "elcome"
        lines = [line for line in self.lines["greeting"] if welcome not in text or welcome not in line]
        return self.rng.choice(lines)

    def _warm(self, text: str) -> str:
        """A few words made warmer by a word in front."""
        for word, warmer in WARMER[self.language]:
            if self.language == "zh":
                text = re.sub(rf"(?:^|(?<=[，。！？\n])){word}(?=[大每各你您这来新])", warmer + word, text, count=1)
            else:
                text = re.sub(rf"\b(?<=[Ww]e ){word}\b", f"{warmer} {word}", text, count=1)
        return text

    def _pick(self, part: str) -> str:
        return self.rng.choice(self.lines[part])

    def _join(self, *parts: str) -> str:
        return ("" if self.language == "zh" else " ").join(filter(None, parts))
