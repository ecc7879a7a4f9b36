"""Stories: a plot of beats, mapped onto any number of pages, told and shown with the same words."""

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from contracts.prompts import one_line
from contracts.story import Page, Story
from deployments.chat.scripted import cast, clock, places, plots
from deployments.chat.scripted.tables import Variant, fill, parse, raised
from deployments.chat.scripted.task import StoryTask
from deployments.chat.scripted.words import BY_WORD, OTHERS, find_kinds

TABLES = {
    language: parse((Path(__file__).parent / f"story.{language}.txt").read_text(encoding="utf-8"))
    for language in ("zh", "en")
}
_TITLE_SIZE = {"zh": 60, "en": 120}
_ROAD_SKIES = {"day", "sunrise", "sunset", "night", "rain", "snow", "rainbow"}


def write(task: StoryTask, rng: Random) -> Story:
    """A story with exactly the pages asked for, about the user's topic, hero and place."""
    return _Teller(task, rng).story()


class _Slots(dict[str, str]):
    """The blanks of a told page. A helper is introduced in full where it is first named."""

    introductions: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.introductions.pop(name, None) or super().__getitem__(name)


class _Teller:
    def __init__(self, task: StoryTask, rng: Random) -> None:
        self.rng, self.language, self.pages = rng, task.language, task.pages
        self.table = TABLES[task.language]
        self.topic = one_line(task.topic)[:2_000]
        self.excerpt = excerpt(self.topic, _TITLE_SIZE[task.language])
        role = excerpt(one_line(task.role), 80)
        scene = excerpt(one_line(task.scene), 60)
        self.hero = cast.hero(role, self.topic, task.language, rng)
        self.setting = places.choose(scene, self.topic, self.hero.kind, task.language, rng)
        self.helper = cast.helper(self.hero.kind, self.hero.name, self.topic, task.language, rng)
        self.matter = plots.choose(self.topic, excerpt(self.topic, 60), task.language, rng)
        self.others = self._strangers()
        self.needy = self.others.pop()
        self.slots = _Slots(self._words(self.hero.name, self.helper.name))
        self.slots.introductions = {"helper": self.helper.first}
        self.shown = self._words(self.hero.shown, self.helper.shown)
        self.used: list[Variant] = []

    def story(self) -> Story:
        """Beats to pages, and the title in front."""
        groups = layout(self.pages)
        turn = next(index for index, group in enumerate(groups) if "turn" in group)
        skies = clock.skies(self.pages, turn, self.matter.sky, self.setting, self.rng)
        spots = self._spots(len(groups))
        pages = []
        for index, group in enumerate(groups):
            before = skies[index - 1] if index else skies[0]
            pages.append(self._page(group, spots[index], before, skies[index], index == len(groups) - 1))
        return Story(title=self._title(), hero=self.hero.looks[:300], pages=pages)

    def _words(self, hero: str, helper: str) -> dict[str, str]:
        she, thing = self.hero.she, self.matter.thing
        return {
            "hero": hero,
            "helper": helper,
            "intro": self.hero.first,
            "ta": cast.zh_pronoun(self.hero),
            "he": "she" if she else "he",
            "him": "her" if she else "him",
            "his": "her" if she else "his",
            "himself": "herself" if she else "himself",
            "place": self.setting.place,
            "thing": thing,
            "sight": self.matter.sight,
            "feast": self.matter.feast,
            "question": self.matter.question,
            "fact": self.matter.fact,
            "topic": self.excerpt,
            "needy": self.needy,
            "other": self.needy,
        }

    def _strangers(self) -> list[str]:
        """Everybody else on the road, in a random order."""
        taken = (self.hero.kind, self.helper.kind)
        kinds = [BY_WORD[word] for word in OTHERS if BY_WORD[word] not in taken]
        self.rng.shuffle(kinds)
        return [kind.zh if self.language == "zh" else f"little {kind.en}" for kind in kinds]

    def _spots(self, count: int) -> list[str]:
        """A spot a page, never the same twice running."""
        side, spots = int(self.language == "en"), list(self.setting.spots)
        order: list[str] = []
        while len(order) < count:
            self.rng.shuffle(spots)
            if order and spots[0][side] == order[-1]:
                spots.append(spots.pop(0))
            order += [spot[side] for spot in spots]
        return order[:count]

    def _page(self, group: Sequence[str], spot: str, before: str, sky: str, last: bool) -> Page:
        other = self.others.pop(0)
        self.others.append(other)
        for slots in (self.slots, self.shown):
            slots |= {"spot": spot, "other": other}
        sentences = [self._time(before, sky)] if before != sky else []
        chosen = [self._variant(beat, sky, len(group)) for beat in group]
        for beat, variant in zip(group, chosen, strict=True):
            told = variant.told[: _keep(beat, len(group))]
            sentences += [self._told(self.rng.choice(wordings)) for wordings in told]
        if last:
            sentences.append(self._ending(sky))
        main = chosen[-2] if len(chosen) > 1 and group[-1] == "end" else chosen[-1]
        text = excerpt(self._join(sentences), 999)
        return Page(text=text, picture=self._picture(self.rng.choice(main.shown), sky))

    def _variant(self, beat: str, sky: str, crowd: int) -> Variant:
        """A variant of the beat that was not told yet and suits the sky."""
        if beat == "open":
            return self.rng.choice(self.table["part.open" if crowd > 2 else "open"])
        if beat == "road":
            return self._road(sky)
        variants = self.table[f"{self.matter.plot}.{beat.rstrip('12')}"]
        variant = variants[int(beat[-1]) - 1] if beat[-1].isdigit() else self.rng.choice(variants)
        return variant

    def _road(self, sky: str) -> Variant:
        """A road beat for this sky: what only this sky allows comes first."""

        def suits(variant: Variant) -> bool:
            skies = variant.tags & _ROAD_SKIES
            return (not skies or sky in skies) and (self.setting.outdoors or "land" not in variant.tags)

        fresh = [variant for variant in self.table["road"] if not any(variant is used for used in self.used)]
        fitting = [variant for variant in fresh if suits(variant)]
        special = [variant for variant in fitting if variant.tags & _ROAD_SKIES]
        eager = special and (sky in ("rain", "snow", "rainbow") or self.rng.random() < 0.5)
        variant = self.rng.choice(special if eager else fitting or self.table["road"])
        self.used.append(variant)
        return variant

    def _time(self, before: str, sky: str) -> str:
        name = {("rain", "day"): "clear", ("snow", "day"): "still"}.get((before, sky), sky)
        return self.rng.choice(self.table[f"time.{name}"][0].told[0])

    def _ending(self, sky: str) -> str:
        """The moral names the topic where it is short enough to say; else a gentle close."""
        words = self.table["moral"] if 0 < len(self.excerpt) <= 40 else self.table[f"close.{sky}"]
        if self.rng.random() < 0.4:
            words = self.table[f"close.{sky}"]
        return self._told(self.rng.choice(words[0].told[0]))

    def _told(self, template: str) -> str:
        return fill(self._plural(template), self.slots)

    def _plural(self, template: str) -> str:
        """Animals among themselves are 它们."""
        kinds = (self.hero.kind, self.helper.kind)
        return template.replace("他们", "它们") if all(kind and not kind.person for kind in kinds) else template

    def _join(self, sentences: Sequence[str]) -> str:
        return ("" if self.language == "zh" else " ").join(sentences)

    def _picture(self, template: str, sky: str) -> str:
        shown = fill(self._plural(template), self.shown)
        when, above = self._one(f"when.{sky}"), self._above(sky)
        if self.language == "zh":
            return f"{when}，{self.setting.place}，{shown}，{above}。"
        return f"{raised(self.setting.place)} {when}, {shown}, with {above}."

    def _above(self, sky: str) -> str:
        above = self._one(f"sky.{sky}")
        if self.setting.sort == "room":
            return f"窗外{above}" if self.language == "zh" else f"{above} outside the window"
        if self.setting.sort == "under":
            return above + ("，水里有小鱼" if self.language == "zh" else " and fish in the water")
        return above

    def _one(self, name: str) -> str:
        return self.rng.choice(self.table[name][0].told[0])

    def _title(self) -> str:
        options = self.table["title.topic" if self.excerpt else f"title.{self.matter.plot}"][0].told[0]
        if self.excerpt and (self.hero.name in self.excerpt or find_kinds(self.excerpt, self.language)):
            options = options[:1]
        title = fill(self.rng.choice(options), self.shown | {"hero": self.hero.name, "helper": self.helper.name})
        return title[:200]


def layout(pages: int) -> list[list[str]]:
    """The beats on every page."""
    if pages <= 3:
        short = [[["open", "want", "turn", "end"]], [["open", "want"], ["turn", "end"]]]
        return [*short, [["open", "want"], ["meet"], ["turn", "end"]]][pages - 1]
    if pages == 4:
        return [["open", "want"], ["meet"], ["turn"], ["end"]]
    tries = ["meet", *(["try1", "road", "road", "try2"] + ["road"] * pages)]
    middle = tries[: pages - 4]
    if pages > 8:
        middle = ["meet", "road", "try1", *["road"] * (pages - 8), "try2"]
    return [["open"], ["want"], *([beat] for beat in middle), ["turn"], ["end"]]


def _keep(beat: str, crowd: int) -> int:
    """How many sentences of a beat a page takes that tells several; the turn is always told whole."""
    return 9 if crowd == 1 or beat == "turn" else 1 if beat == "open" else 2


def excerpt(text: str, size: int) -> str:
    """The beginning of the text: whole where it fits, else up to a mark or a word's end, with an ellipsis."""
    if len(text) <= size:
        return text
    cut = text[:size]
    marks = [match.end() for match in re.finditer(r"[。！？；，,.!?; ]", cut)]
    if marks and marks[-1] > size // 2:
        cut = cut[: marks[-1]]
    return cut.rstrip("。！？；，,.!?; ") + "…"
