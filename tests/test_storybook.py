"""A story that goes wrong on its way: what was good of it is kept, and the model asked for what is left."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.errors import EngineFailed
from contracts.tasks import StoryTask
from graphs.facts import twins
from graphs.storybook import Telling, object_in, rest_of, write_story
from tests.copywriting import Says, Short

TASK = StoryTask(task_id=1, segment_id=1, topic="学会分享", main_role="小狐狸", pages=4)
PAGES = [{"text": f"第{number}天，小狐狸出了门。", "picture": f"第{number}棵树下，小狐狸。"} for number in range(1, 5)]
CIRCLE = {"text": "小狐狸走呀走。" * 99, "picture": "树下。"}


def book(pages: Sequence[Any], **more: Any) -> str:
    return json.dumps({"title": "分享", "hero": "小狐狸，红色的", "pages": list(pages)} | more, ensure_ascii=False)


def rest(pages: Sequence[Any]) -> str:
    return json.dumps({"pages": list(pages)}, ensure_ascii=False)


async def told(*answers: str) -> tuple[list[dict[str, Any]], Says]:
    """The pages of the story, and the model."""
    model = Says(*answers)
    script = await write_story(model, TASK, seed=5)
    return [{name: page[name] for name in ("text", "picture")} for page in script["pages"]], model


@pytest.mark.parametrize(("first", "kept"), [
    (book(PAGES)[: book(PAGES).index("第3棵")], 2),  # it ended in the middle of a page
    (book([*PAGES[:1], CIRCLE, PAGES[3]])[:400], 1),  # it went round in a circle
    (book([*PAGES[:3], {"text": "", "picture": "树"}]), 3),  # a page says nothing
    (book([*PAGES[:3], {"text": "字" * 1001, "picture": "树"}]), 3),
    (book([*PAGES[:2], PAGES[0], PAGES[3]]), 2),  # a page stands there twice
    (book([*PAGES[:2], "page", 7]), 2),
    (book([*PAGES[:2], {"text": "小满和小满走了。", "picture": "树下。"}, PAGES[3]]), 2),  # two of one name
    (book([*PAGES[:1], {"text": "走了。", "picture": "小狐狸小满和小鹿小满在树下。"}, *PAGES[2:]]), 1),
    (book([*PAGES[:1], {"text": "Felix the fox and Felix sat down.", "picture": "A tree."}, *PAGES[2:]]), 1),
    (book(PAGES[:3])[:-2] + ", ", 3),  # it ended between two pages
])  # fmt: skip
async def test_it_is_carried_on_from_its_good_pages(first: str, kept: int) -> None:
    pages, model = await told(first, rest(PAGES[kept:]))
    assert pages == PAGES
    again = model.asked[1]
    assert json.loads(again.messages[-2].content)["pages"] == PAGES[:kept]
    assert f"前 {kept} 页" in again.messages[-1].content and f"{4 - kept} 页" in again.messages[-1].content
    assert again.json_schema == rest_of(4 - kept) and again.seed == 6


async def test_one_that_strays_from_its_topic_is_asked_for_anew() -> None:
    shared = [*PAGES[:3], {"text": "小狐狸把果子分给大家，真大方。", "picture": "树下。"}]
    model = Says(book(PAGES[:2]), rest(PAGES[2:]), book(shared))
    script = await write_story(model, TASK, seed=5, strict=True)
    assert script["pages"][3]["text"] == shared[3]["text"]
    assert model.asked[2].messages == model.asked[0].messages and model.asked[2].seed == 7
    with pytest.raises(EngineFailed, match="topic"):
        await write_story(Says(*[book(PAGES)] * 3), TASK, seed=5, strict=True)


async def test_a_circle_is_left_as_soon_as_it_is_one() -> None:
    """Of a circle without an end no more is read than tells that it is one."""
    endless = book([PAGES[0], {"text": "小狐狸走呀走。" * 100_000, "picture": "树"}])
    pages, model = await told(endless, rest(PAGES[1:]))
    assert pages == PAGES and len(model.asked) == 2 and not model.running


@pytest.mark.parametrize("bad", [
    "", "{", "[]", "null", '"{', "{" * 10_000, '{"a":' * 10_000, book([]), book(PAGES[:3]), book([*PAGES, *PAGES]),
    book(PAGES, title="走呀走呀" * 9), book(PAGES, hero=""), book(PAGES, title=None),
    '{"title": "a", "hero": "b", "pages": "page"}',
    '{"pages": [{"text": "a", "picture": "b"}], "title": "\ud800"}',
])  # fmt: skip
async def test_of_what_does_not_begin_well_nothing_is_kept(bad: str) -> None:
    pages, model = await told(bad, book(PAGES))
    assert pages == PAGES and bad.startswith(model.asked[1].messages[-2].content)
    pages, model = await told(bad, bad, book(PAGES))
    assert pages == PAGES and model.asked[2].messages == model.asked[0].messages


async def test_what_was_wrong_is_always_said() -> None:
    _, model = await told(book([])[:-2], book(PAGES))
    assert "4 were asked for, 0 written" in model.asked[1].messages[-1].content


async def test_a_model_may_bring_it_on_page_by_page() -> None:
    pages, model = await told(book([*PAGES[:1], CIRCLE])[:300], rest(PAGES[1:2]), "?", rest(PAGES[2:]))
    assert pages == PAGES and [asked.seed for asked in model.asked] == [5, 6, 7, 8]


@pytest.mark.parametrize(("first", "anew_with"), [("?", 7), (book([PAGES[0], CIRCLE])[:300], 8)])
async def test_where_there_is_no_room_for_what_there_is_it_is_begun_anew(first: str, anew_with: int) -> None:
    model = Short(first, book(PAGES))
    assert len((await write_story(model, TASK, seed=5))["pages"]) == 4
    assert [asked.seed for asked in model.asked] == [5, anew_with]


async def test_what_cannot_be_carried_on_is_begun_anew() -> None:
    begun = book([PAGES[3], CIRCLE])[:300]
    pages, model = await told(begun, "?", "??", book(PAGES))
    assert pages == PAGES and model.asked[3].messages == model.asked[0].messages
    with pytest.raises(EngineFailed):
        await told(begun, "?", "??", "???")


async def test_it_ends_though_every_answer_brings_something() -> None:
    begun = book([PAGES[0], CIRCLE])[:300]
    with pytest.raises(EngineFailed):
        await told(*[begun, "?", "?"] * 5)


@pytest.mark.parametrize(("text", "found"), [
    ("小满和小满走了", True), ("小狐狸小满和小鹿小满走了", True), ("小熊和小熊猫走了", False),
    ("小满和豆豆走了", False), ("Sam and Sam sat", True), ("Mia the owl and Mia", True), ("Sam and Samantha", False),
])  # fmt: skip
def test_two_of_one_name_are_found(text: str, found: bool) -> None:
    assert twins(text) is found


def test_there_may_be_talk_around_it() -> None:
    assert object_in('Here: {"a": {"b": 1}} I hope you like it') == ({"a": {"b": 1}}, True)
    assert object_in('Here: {"a": 1, "b": "and so') == ({"a": 1}, False)


@pytest.mark.parametrize(("answer", "lost"), [
    (book(PAGES)[:-20] + "云" * 900, False),
    ('{"title": "' + "".join(map(chr, range(0x4E00, 0x4E00 + 290))), False),
    ('{"title": "' + "".join(map(chr, range(0x4E00, 0x4E00 + 310))), True),
    (book(PAGES)[:-20] + "".join(map(chr, range(0x4E00, 0x4E00 + 1100))), True),  # the page's string does not end
    ("先想一想。" + "".join(map(chr, range(0x4E00, 0x4E00 + 1100))) + book(PAGES), False),
    (book(PAGES) + "".join(map(chr, range(0x4E00, 0x4E00 + 1100))), False),
    ('{"title": "t", "hero": "小满", "pages": [{"text": "小满和小满在玩。", ', True),
    ('{"title": "t", "hero": "小花", "pages": [{"text": "小花和小花', False),  # 猫 may follow
    (book([{"text": 'he said "yes" ' + "".join(map(chr, range(0x4E00, 0x4E00 + 900))), "picture": "p"}])[:-3], False),
])  # fmt: skip
def test_what_does_not_end_is_left(answer: str, lost: bool) -> None:
    telling = Telling("t", "", "", 4)
    telling.circles = True
    assert telling.lost(answer) is lost
