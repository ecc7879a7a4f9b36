"""Livestream sales copy: every fact that the seller gave stands in it word for word, and no fact was added."""

import re
from random import Random

from deployments.chat.scripted.livestream_words import EN, EN_MEANING, ZH, ZH_MEANING
from deployments.chat.scripted.tables import fill
from deployments.chat.scripted.task import ProductTask

_TABLES = {"zh": (ZH, ZH_MEANING), "en": (EN, EN_MEANING)}
_ENDS = re.compile(r"([。．.！!？?；;，,…])[。.]")


def write(task: ProductTask, rng: Random) -> str:
    """Opening, product, audience, features, price, promotion, closing; what was not given is left out."""
    return _Seller(task, rng).copy()


class _Seller:
    def __init__(self, task: ProductTask, rng: Random) -> None:
        self.task, self.rng = task, rng
        self.table, self.meanings = _TABLES[task.language]
        self.lines = {part: [line.strip() for line in block.strip().splitlines()] for part, block in self.table.items()}
        for lines in self.lines.values():
            rng.shuffle(lines)

    def copy(self) -> str:
        """The sentences in their order, a paragraph for each step of the sale."""
        task = self.task
        hook = [self._say("open"), self._fact("name", task.name)]
        person = self._fact("audience", task.audience)
        hook.insert(self.rng.choice((1, 2)) if person and task.name and task.language == "zh" else 2, person)
        offer = [self._fact("price", self._price()), self._fact("promotion", task.promotion)]
        paragraphs = [hook, self._features(), offer, [self._say("close")]]
        gap = "" if task.language == "zh" else " "
        return "\n".join(filter(None, (gap.join(filter(None, paragraph)) for paragraph in paragraphs)))

    def _say(self, part: str) -> str:
        """A sentence of this part that was not used yet, as long as there is one."""
        lines = self.lines[part]
        lines.append(lines.pop(0))
        return lines[-1]

    def _fact(self, part: str, value: str) -> str:
        """The sentence with the seller's words in it; a mark that they end with is not doubled."""
        if not value:
            return ""
        slot = "feature" if part in ("first", "next", "last") else part
        template = self._say(part)
        number = self.task.language == "zh" and re.search(r"\d\.$", value)  # the next sentence may begin with a digit
        if value[-1] in "。.！!？?…" and not number and template.endswith(("}。", "}.", "}！")):
            template = template[:-1]
        return fill(template, {slot: value})

    def _features(self) -> list[str]:
        features = self.task.features
        said = [self._say("lead")] if features and self.rng.random() < 0.7 else []
        for index, feature in enumerate(features):
            part = "first" if index == 0 else "last" if index == len(features) - 1 and index > 1 else "next"
            said += [self._fact(part, feature), self._remark(feature)]
        return said

    def _remark(self, feature: str) -> str:
        """What the feature means for its user; sometimes only a remark, sometimes nothing."""
        meaning = next((words for word, words in self.meanings.items() if word in feature.lower()), "")
        if meaning and meaning not in self.lines["remark"] and self.rng.random() < 0.8:
            return meaning
        return self._say("remark") if self.rng.random() < 0.45 else ""

    def _price(self) -> str:
        """A bare number gets its unit in Chinese; anything else stays as it is."""
        bare = re.fullmatch(r"\d+(\.\d+)?", self.task.price)
        return f"{self.task.price}元" if bare and self.task.language == "zh" else self.task.price
