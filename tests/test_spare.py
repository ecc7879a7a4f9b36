"""A small model that fails twice: the grammar behind it writes, and every answer says who did."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from contracts.chat import ChatDelta, ChatRequest
from contracts.engines import Chat
from contracts.errors import ContextLength, EngineFailed
from contracts.livestream import Product
from contracts.tasks import StoryTask
from graphs.livestream import final, write_copy
from graphs.spare import spared
from graphs.storybook import tell
from tests.copywriting import Near, Says, drafts
from tests.test_selling import open_shop

PRODUCT = Product(name="星野保温杯", features=["长效保温"], price="89元")
ASKED = {"productName": PRODUCT.name, "features": PRODUCT.features, "price": PRODUCT.price}
TASK = StoryTask(task_id=1, segment_id=1, topic="小狐狸学会分享", pages=2)


def small(*answers: str, fallback: bool = True) -> Chat:
    """The default of a cluster that serves the grammar too, as `build` joins them."""
    chats = {"says": Says(*answers), "scripted": Near()}
    default: Chat = spared(chats, fallback)["says"]
    return default


async def test_three_bad_copies_are_followed_by_one_of_the_spare() -> None:
    read, copy = await drafts(write_copy(PRODUCT, small("坏", "坏坏", "坏了"), seed=1))
    assert copy.model == "scripted" and "星野保温杯" in copy.text
    assert read[:3] == ["坏", "坏坏", "坏了"] and len(read) == 4


async def test_a_good_copy_is_the_models_own() -> None:
    good = "星野保温杯，长效保温，只要89元！"
    assert (await final(write_copy(PRODUCT, small("坏", good)))).model == "says"


async def test_without_fallback_failures_are_told() -> None:
    with pytest.raises(EngineFailed):
        await final(write_copy(PRODUCT, small("坏", "坏", "坏", fallback=False)))
    with pytest.raises(EngineFailed):
        await tell(small("坏", "坏", "坏", fallback=False), TASK, 1)


class TooSmall(Says):
    """Its context has room for nothing that is asked."""

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        raise ContextLength("对话太长")
        yield


async def test_what_is_too_long_for_a_small_model_is_written_by_the_spare() -> None:
    default = spared({"says": TooSmall(), "scripted": Near()}, True)["says"]
    assert (await final(write_copy(PRODUCT, default, seed=1))).model == "scripted"
    assert (await tell(default, TASK, 1))["model"] == "scripted"
    with pytest.raises(ContextLength):
        await final(write_copy(PRODUCT, TooSmall()))


async def test_a_story_names_who_wrote_it() -> None:
    told = await tell(small("{", "{}", "[]"), TASK, 1)
    assert told["model"] == "scripted" and len(told["story"]["pages"]) == 2
    shared = story_of("小狐狸把果子分享给大家。", "c")
    assert (await tell(small(shared), TASK, 1))["model"] == "says"


def story_of(*texts: str) -> str:
    return json.dumps({"title": "t", "hero": "h", "pages": [{"text": text, "picture": "b"} for text in texts]})


async def test_a_story_that_strays_from_its_topic_is_the_spares() -> None:
    dared = story_of("小狐狸不怕黑了。", "它真勇敢。")
    told = await tell(small(dared, dared, dared), TASK, 1)
    assert told["model"] == "scripted" and "分享" in "".join(page["text"] for page in told["story"]["pages"])
    assert (await tell(small(dared, fallback=False), TASK, 1))["model"] == "says"  # where nobody else could write it
    for topic in ("小狐狸学会勇敢", "小狐狸和星野"):  # that is its topic; nothing is known of what it is about
        assert (await tell(small(dared), TASK.model_copy(update={"topic": topic}), 1))["model"] == "says"


async def test_a_story_that_goes_round_in_a_circle_is_none() -> None:
    pages = [{"text": "小狐狸走呀走。" * 9, "picture": "b"}, {"text": "a", "picture": "b"}]
    story = json.dumps({"title": "t", "hero": "h", "pages": pages})
    assert (await tell(small(story, story, story), TASK, 1))["model"] == "scripted"
    own = TASK.model_copy(update={"topic": "走呀走呀" * 9})  # it was told to
    assert (await tell(small(story), own, 1))["model"] == "says"


async def test_the_answer_says_so_in_its_header_and_its_message(tmp_path: Path) -> None:
    async with open_shop(tmp_path, fallback=True, chats={"says": small(*["坏"] * 6)}) as (_, client):
        answer = await client.post("/api/product/generate-script", json=ASKED)
        assert answer.headers["x-troupe-model"] == "scripted"
        assert answer.json()["code"] == 1 and "由 scripted 完成" in answer.json()["msg"]
        streamed = await client.post("/api/product/generate-script?stream=true", json=ASKED)
        assert "由 scripted 完成" in streamed.text and streamed.text.count("event: restart") == 3


async def test_an_answer_of_the_default_says_nothing_of_models(tmp_path: Path) -> None:
    async with open_shop(tmp_path, chats={"says": small("星野保温杯，长效保温，只要89元！")}) as (_, client):
        answer = await client.post("/api/product/generate-script", json=ASKED)
        assert "x-troupe-model" not in answer.headers and answer.json()["msg"] == "口播稿生成成功"
