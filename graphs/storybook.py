"""A picture-book story by a chat model: held to its JSON, and carried on from its good pages where it goes wrong."""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from contracts import prompts
from contracts.chat import ChatRequest, Message
from contracts.engines import Chat
from contracts.errors import ContextLength, EngineFailed
from contracts.story import Script, Story
from contracts.tasks import StoryTask
from contracts.themes import tells_of, theme_of
from graphs.drafts import MOST_SEED, TRIES, circling, read
from graphs.facts import bare, loops, twins
from graphs.spare import spare_of

LONGEST = 8192  # tokens of an answer
LONGEST_TOPIC = 60  # characters that make the beginning of a title
LONGEST_HERO, LONGEST_PAGE = 300, 1000  # characters of a string, before the pages and in them
MOST_TURNS = 9  # of a model that brings a story a page further each time


async def tell(chat: Chat, task: StoryTask, seed: int) -> dict[str, Any]:
    """A story and the model that wrote it: the given one or, where that fails or strays from its topic, its spare."""
    spare = spare_of(chat)
    try:
        return {"story": await write_story(chat, task, seed, strict=spare is not None), "model": chat.model}
    except (EngineFailed, ContextLength):
        if not spare:
            raise
        return {"story": await write_story(spare, task, seed), "model": spare.model}


async def write_story(chat: Chat, task: StoryTask, seed: int, strict: bool = False) -> dict[str, Any]:
    """A valid story. Three answers in a row that bring it no further are `EngineFailed`; `strict`: also those whose
    pages say nothing of what the topic is about, as far as its words are known (`contracts.themes`)."""
    telling = Telling(task.topic, task.main_role, task.scene, task.pages, strict)
    while telling.goes_on:
        try:
            async with aclosing(read(chat, telling.request(seed), telling.lost)) as deltas:
                telling.take("".join([delta.text async for delta in deltas]))
        except ContextLength:  # with what there is of it it is too long; without, it is not
            if telling.messages is telling.asked:
                raise
            telling.take("")
    return telling.script()


@dataclass
class Telling:
    """A story on its way: what the model is asked next, and what of its answers was good.

    A faulty answer that begins with good pages is carried on from them; one without is sent back once with what was
    wrong; the next one is forgotten, with all that was good before, and the story asked for anew. So is, if `strict`, a
    whole one that strays from its topic.
    """

    topic: str
    role: str
    scene: str
    pages: int
    strict: bool = False
    good: dict[str, Any] = field(default_factory=dict, init=False)  # title, hero and the pages so far
    turn: int = field(default=0, init=False)
    misses: int = field(default=0, init=False)  # answers in a row that brought nothing
    problem: str = field(default="", init=False)
    strayed: bool = field(default=False, init=False)  # the last answer, from its topic

    def __post_init__(self) -> None:
        self.asked = prompts.story(self.topic, self.role, self.scene, self.pages, prompts.language_of(self.topic))
        self.messages = self.asked
        given = (self.topic, self.role, self.scene)
        self.verbatim = [bare(each) for each in given if each.strip()]
        self.circles = any(map(loops, given))  # words that go round in one may be written
        self.twins = any(map(twins, given))

    @property
    def left(self) -> int:
        return self.pages - len(self.good.get("pages", ()))

    @property
    def goes_on(self) -> bool:
        return self.left > 0 and self.misses < TRIES and self.turn < MOST_TURNS

    def request(self, seed: int) -> ChatRequest:
        """The same turn draws the same answer."""
        return ChatRequest(
            messages=self.messages,
            max_tokens=LONGEST,
            seed=min(seed + self.turn, MOST_SEED),
            json_schema=rest_of(self.left) if self.good else schema_of(self.pages),
            verbatim=self.verbatim,
            things=self.left,
            begins="" if self.good or len(self.topic) > LONGEST_TOPIC else prompts.one_line(self.topic),
        )

    def lost(self, answer: str) -> bool:
        """Whether it goes round in a circle, has two of one name, or is within a string that is longer than a hero or
        a page may be."""
        said = answer[max(answer.find("{"), 0) :].replace('\\"', "")
        most = LONGEST_PAGE if '"pages"' in said else LONGEST_HERO
        within = said.count('"') % 2 == 1 and len(said) - said.rfind('"') > most + 1
        met = not self.twins and twins(said[: said.rfind('"') + 1])  # a name is whole where its string is
        return within or met or (not self.circles and circling(answer))

    def take(self, answer: str) -> None:
        """Keeps what is good, and says what to ask next."""
        before, self.strayed = self.left, False
        try:
            self._keep(answer)
        except (ValidationError, ValueError) as error:
            self.problem = str(error)
        self.turn, self.misses = self.turn + 1, self.misses + 1 if self.left >= before else 0
        if self.misses == TRIES - 1:
            self.good = {}
        self.messages = self._next(answer)

    def script(self) -> dict[str, Any]:
        """The whole story; one that has come to nothing is `EngineFailed`."""
        if self.left:
            raise EngineFailed(f"The model wrote no usable story in {self.turn} answers: {_first_line(self.problem)}")
        return Script.model_validate(self.good).model_dump()

    def _next(self, answer: str) -> list[Message]:
        if self.good:
            return prompts.carry_on(self.asked, _as_json(self.good), self.pages - self.left, self.left)
        mendable = self.misses == 1 and not self.strayed
        return prompts.repair(self.asked, answer, self.problem) if mendable else self.asked

    def _keep(self, answer: str) -> None:
        said, whole = object_in(answer)
        pages, wanted = said.get("pages"), self.left
        if not isinstance(pages, list) or len(pages) > wanted or (whole and not self.good and len(pages) < wanted):
            raise ValueError(f"pages: {wanted} were asked for, {len(pages) if isinstance(pages, list) else 0} written")
        begun: dict[str, Any] = self.good or {name: said.get(name) for name in ("title", "hero")} | {"pages": []}
        for page in pages:
            told = Story.model_validate(begun | {"pages": [*begun["pages"], page]})
            if flaw := self._flaw(told):
                raise ValueError(flaw)
            begun = self.good = told.model_dump()
        if self.left:
            raise ValueError(f"pages: {wanted} were asked for, {wanted - self.left} written")
        if self.strict and not tells_of(theme_of(self.topic), " ".join(page["text"] for page in begun["pages"])):
            self.good, self.strayed = {}, True
            raise ValueError("its pages do not tell of its topic")

    def _flaw(self, story: Story) -> str:
        """What is wrong with its last page: it goes round in a circle, was told before, or is lost in its names."""
        *before, page = story.pages
        told = (story.title, story.hero, page.text, page.picture)
        if page in before or (any(map(loops, told)) and not self.circles):
            return "the story repeats itself again and again"
        return "" if self.twins or not any(map(twins, told)) else "two of the story have the same name"


def object_in(answer: str) -> tuple[dict[str, Any], bool]:
    """The JSON object in an answer, models like to talk around it, and whether it is whole; else what there is of it
    without what has only begun. None is a `ValueError`."""
    said = answer[max(answer.find("{"), 0) :].encode(errors="replace")
    try:
        found, whole = from_json(said[: said.rfind(b"}") + 1]), True
    except ValueError:
        found, whole = from_json(said, allow_partial=True), False
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found, whole


def schema_of(pages: int) -> dict[str, Any]:
    """JSON Schema of a story of so many pages: an engine that holds its answer to it writes no other.

    Without the lengths of texts, which are checked afterwards: to hold to them costs xgrammar 3 ms a token instead of
    0.01.
    """
    schema: dict[str, Any] = _unmeasured(Story.model_json_schema())
    schema["properties"]["pages"] |= {"minItems": pages, "maxItems": pages}
    return schema


def rest_of(pages: int) -> dict[str, Any]:
    """Of the same, so many pages alone."""
    schema = schema_of(pages)
    return schema | {"properties": {"pages": schema["properties"]["pages"]}, "required": ["pages"]}


def _unmeasured(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _unmeasured(part) for name, part in schema.items() if name not in ("minLength", "maxLength")}
    return schema


def _as_json(story: Mapping[str, Any]) -> str:
    return json.dumps(story, ensure_ascii=False)


def _first_line(problem: str) -> str:
    return next(iter(problem.splitlines()), "")
