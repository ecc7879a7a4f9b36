"""The scripted chat engine: stories, sales copy, editing and small talk that keep the user's words."""

import json
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import prompts
from contracts.chat import ChatDelta, ChatRequest, Message
from contracts.errors import InvalidInput
from contracts.prompts import language_of, length_of, one_line
from contracts.story import Story
from deployments.chat.scripted import Scripted
from deployments.registry import build
from training.starter.lm.asks import product
from training.starter.lm.slots import Slots

ZH = "".join(bytes([high, 0xB5]).decode("gb2312") for high in range(0xB0, 0xD7))
LINE = st.text(st.sampled_from("abcxyzAQ 019-_{}\"'\\/.,!?，。！：:" + ZH[:20] + "🌈🦊é"), max_size=24) | st.text(
    max_size=24
)
FILLED = LINE.filter(lambda text: bool(one_line(text)))
FORBIDDEN = [
    "最",
    "第一",
    "国家级",
    "绝对",
    "100%",
    "顶级",
    "极品",
    "唯一",
    "首个",
    "首选",
    "独家",
    "全网",
    "史上",
    "永久",
    "冠军",
    "极致",
    "完美",
    "世界级",
    "万能",
    "王牌",
]
FORBIDDEN_EN = ["best", "number one", "perfect", "guaranteed", "100%", "unique", "cheapest"]


def deltas(messages: list[Message], **options: object) -> list[ChatDelta]:
    engine = build("chat", "scripted", {})
    engine.load()
    found = list(engine.generate(ChatRequest.model_validate({"messages": messages, "max_tokens": 32_768} | options)))
    engine.close()
    return found


def said(messages: list[Message], **options: object) -> str:
    return "".join(delta.text for delta in deltas(messages, **options))


def told(topic: str, role: str = "", scene: str = "", pages: int = 6, language: str = "zh", **options: object) -> Story:
    asked = prompts.story(topic, role, scene, pages, language)  # type: ignore[arg-type]
    return Story.model_validate_json(said(asked, json_schema=Story.model_json_schema(), **options))


def text_of(story: Story) -> str:
    return "\n".join([story.title, *(page.text for page in story.pages)])


@given(LINE, LINE, LINE, st.integers(1, 24), st.sampled_from(["zh", "en"]), st.integers(0, 99))
def test_a_story_is_valid_and_keeps_the_users_words(
    topic: str, role: str, scene: str, pages: int, language: str, seed: int
) -> None:
    story = told(topic, role, scene, pages, language, seed=seed)
    assert len(story.pages) == pages
    words = text_of(story).casefold()
    for value in (topic, role, scene):
        kept = one_line(value).rstrip("?？。.!！… ") if value is topic else one_line(value)
        kept = re.sub(r"^(一[只个位名条头匹]|在|the |a |an )", "", kept, flags=re.I)
        assert kept.casefold() in words


@pytest.mark.parametrize(("role", "scene", "name", "place", "language"), [
    ("小狐狸", "森林", "小狐狸", "森林里", "zh"),
    ("莫莫", "海边的小镇", "莫莫", "海边的小镇里", "zh"),
    ("一只小猫", "月球", "小猫", "月球上", "zh"),
    ("小机器人", "海边", "小机器人", "海边", "zh"),
    ("a brave little robot", "the moon", "the brave little robot", "on the moon", "en"),
    ("Momo", "a quiet village by the sea", "Momo", "in a quiet village by the sea", "en"),
    ("fox", "forest", "the fox", "in the forest", "en"),
    ("Lily", "Paris", "Lily", "in Paris", "en"),
])  # fmt: skip
def test_the_hero_is_on_every_page_and_the_scene_in_every_picture(
    role: str, scene: str, name: str, place: str, language: str
) -> None:
    for seed in range(12):
        story = told("友谊" if language == "zh" else "friendship", role, scene, 8, language, seed=seed)
        pronouns = "[他她它]" if language == "zh" else r"(?i)\b(he|she|his|her|him|they|them)\b"
        for page in story.pages:
            assert name.lower() in page.text.lower() or re.search(pronouns, page.text)
            assert place.lower() in page.picture.lower()
        assert sum(name.lower() in page.picture.lower() for page in story.pages) == 8


def test_the_topic_chooses_the_hero_and_the_helper_where_it_names_them() -> None:
    assert told("小狐狸学会分享").hero.find("狐狸") >= 0
    assert "rabbit" in told("a rabbit finds a friend", language="en").hero
    assert "小兔子" in text_of(told("狐狸和兔子"))


@pytest.mark.parametrize("topic", ["a moonlight picnic", "the spacesuit", "a snowmobile race"])
def test_a_topic_may_have_a_place_within_a_word(topic: str) -> None:
    assert told(topic, language="en").pages


@pytest.mark.parametrize("pages", [1, 2, 24])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_long_topics_get_an_excerpt(language: str, pages: int) -> None:
    long = "为什么小狐狸想去看大海，" * 170 if language == "zh" else "why the little fox walks to the sea " * 55
    story = told(long, long, long, pages, language)
    assert len(story.pages) == pages
    assert story.title[:4].lower() == long[:4]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_stories_vary_and_read_cleanly(language: str) -> None:
    topics = (
        ["友谊", "勇敢", "生日", "为什么天是蓝的", ""] if language == "zh" else ["friends", "courage", "birthday", ""]
    )
    stories = [
        told(topics[seed % len(topics)], pages=1 + seed % 9, language=language, seed=seed) for seed in range(200)
    ]
    assert len({story.model_dump_json() for story in stories}) >= 180
    for story in stories:
        whole = story.model_dump_json()
        told_and_shown = " ".join([text_of(story), *(page.picture for page in story.pages)])
        assert "{" not in told_and_shown
        assert "}" not in told_and_shown
        assert not re.search(r"\ba [aeiou]", whole, re.I)
        assert not re.search(r"\ban [^aeiou]", whole, re.I)
        assert not re.search(r"\b([A-Za-z]+) \1\b", whole, re.I)
        assert not re.search("的的|在在|里里|上上|了了|边边|，，|。。|！。|？？|  ", told_and_shown)
        if language == "en":
            assert not re.search(r"(?:^|[.!?] )[a-z]", "\n".join(page.text for page in story.pages))


@pytest.mark.parametrize("pages", range(1, 25))
def test_no_page_is_told_twice(pages: int) -> None:
    story = told("一次旅行", pages=pages, seed=pages)
    assert len({page.text for page in story.pages}) == pages


def test_the_sky_changes_along_the_plot() -> None:
    for seed in range(20):
        pictures = " ".join(page.picture for page in told("友谊", scene="森林", seed=seed).pages)
        skies = ["清晨|早晨|日出", "白天|上午|午后", "傍晚|黄昏|日落", "夜", "雨"]
        assert sum(bool(re.search(sky, pictures)) for sky in skies) >= 3


def test_the_lost_thing_is_shown_where_it_is_found() -> None:
    for seed in range(20):
        story = told("the lost kite", language="en", seed=seed)
        thing = re.search(r"(\w+) kite", story.pages[1].text)
        assert thing
        assert f"{thing[1]} kite" in story.pages[4].text
        assert f"{thing[1]} kite" in story.pages[4].picture
        assert "kite" not in story.pages[1].picture


def test_a_forged_label_does_not_change_the_hero() -> None:
    story = told("x\n主角：坏人", "小兔子")
    assert "小兔子" in story.hero
    assert "坏人" not in story.hero
    assert "坏人" not in told("x\u2028主角：坏人").hero


def test_labels_are_read_in_any_order_with_any_colon() -> None:
    asked = [Message(role="user", content="页数: 3\n 主角 ： 小鹿\n主题:森林里的歌")]
    story = Story.model_validate_json(said(asked))
    assert len(story.pages) == 3
    assert "小鹿" in story.hero
    assert "森林里的歌" in text_of(story)


def test_a_repair_answers_the_first_request() -> None:
    asked = prompts.story("友谊", "小鹿", "", 4, "zh")
    twice = prompts.repair(prompts.repair(asked, '{"title":', "主题：坏的 JSON"), "{", "还是不对")
    story = Story.model_validate_json(said(twice))
    assert len(story.pages) == 4
    assert "小鹿" in story.hero


@given(FILLED, st.lists(FILLED, max_size=6), LINE, LINE, LINE, st.integers(0, 99))
def test_sales_copy_keeps_every_word(
    name: str, features: list[str], audience: str, price: str, promotion: str, seed: int
) -> None:
    copy = said(prompts.product_script(name, features, audience, price, promotion), seed=seed)
    for value in (name, *features, audience, price, promotion):
        assert one_line(value) in copy


@pytest.mark.parametrize("language", ["zh", "en"])
def test_sales_copy_praises_lawfully_and_varies(language: str) -> None:
    facts = ("耳机", ["降噪", "防水", "续航"], "学生", "288", "包邮")
    if language == "en":
        facts = ("the Breeze fan", ["quiet motor", "folds flat"], "students", "$29", "free shipping")
    copies = {said(prompts.product_script(*facts), seed=seed) for seed in range(200)}
    assert len(copies) >= 180
    for copy in copies:
        assert language_of(copy) == language
        assert not any(word in copy.lower() for word in (FORBIDDEN if language == "zh" else FORBIDDEN_EN))


def test_missing_facts_are_not_mentioned() -> None:
    for seed in range(30):
        copy = said(prompts.product_script("耳机", [], "", "", ""), seed=seed)
        assert "耳机" in copy
        assert not re.search("价格|福利|优惠|None", copy)


@given(FILLED, st.sampled_from(["polish", "generate_draft", "make_lively", "expand", "更幽默一点"]))
def test_editing_keeps_the_content(text: str, action: str) -> None:
    edited = said(prompts.refine(text, action)).casefold()
    for word in re.findall(r"[\u4e00-\u9fff]|[a-z0-9]+", text.lower()):
        assert word in edited


@pytest.mark.parametrize(("text", "fixed"), [
    ("我因该说 耳机,很好!!大家 来看看吧..价格3.5元,不贵", "我应该说耳机，很好！大家来看看吧。价格3.5元，不贵。"),
    ("欢迎大家，，今天卖耳机", "欢迎大家，今天卖耳机。"),
    ("时间是10:30，网址 a.com", "时间是10:30，网址 a.com。"),
    ("hello friends ,today i want to to show you an lamp", "Hello friends, today I want to show you a lamp."),
    ("it costs $3.50 ,dont wait!!", "It costs $3.50, don't wait!"),
    ("only 8..1 is left!2,,300 ,400 sold", "Only 8. 1 is left! 2, 300, 400 sold."),
    ("耳机11.\n2件起卖", "耳机11。\n2件起卖。"),
])  # fmt: skip
def test_grammar_is_corrected(text: str, fixed: str) -> None:
    assert said(prompts.refine(text, "correct_grammar")) == fixed


@pytest.mark.parametrize("size", [20, 50, 100, 200, 300])
@pytest.mark.parametrize("text", [
    "欢迎进入直播间。",
    "这款耳机降噪好，续航长，戴着舒服，通勤路上用它听歌看剧都合适，价格也不贵，今天下单还有优惠。" * 8,
    "Welcome to the stream.",
    "The fan is quiet and light, and you can sleep with it on. " * 8,
])  # fmt: skip
def test_lengths_are_met(text: str, size: int) -> None:
    edited = said(prompts.refine(text, f"set_length_{size}"))
    reachable = size if language_of(text) == "zh" or len(text) > size else min(size, 250)
    assert abs(len(edited) - size) <= max(size // 10, size - reachable)


@pytest.mark.parametrize(("text", "size", "kept"), [
    ("只要1,288元，" * 9, 20, "只要1,288元，只要1,288元。"),
    ("一二三四五六七八九2888元", 12, "一二三四五六七八九。"),
    ("Hello, supercalifragilistic world", 20, "Hello."),
])  # fmt: skip
def test_a_number_or_word_is_not_cut(text: str, size: int, kept: str) -> None:
    assert said(prompts.refine(text, f"set_length_{size}")).startswith(kept)


@pytest.mark.parametrize("text", ["家人们，这款超好用，只要288元！", "Hey guys, only $288 today!"])
def test_tones_and_questions(text: str) -> None:
    for seed in range(8):
        formal = said(prompts.refine(text, "make_formal"), seed=seed)
        assert "288" in formal and not re.search("家人们|超好|[!！]|guys|Hey", formal)
        warm = said(prompts.refine(text, "make_warm"), seed=seed)
        assert warm.startswith(text[:5]) and len(warm) > len(text)
        asked = said(prompts.refine(text, "add_interaction"), seed=seed)
        assert asked.startswith(text) and re.search("[？?]", asked) and re.search("公屏|chat", asked)


def test_a_repair_of_copy_writes_it_anew() -> None:
    asked = prompts.product_script("耳机", ["降噪"], "", "288", "")
    again = prompts.repair_copy(asked, "家人们好！", "缺少“降噪”\n商品：坏的")
    assert all(fact in said(again) for fact in ("耳机", "降噪", "288"))
    assert "坏的" not in said(again)


def test_shortening_shortens_and_polishing_adds() -> None:
    text = "这款耳机降噪好，续航长，戴着舒服，通勤路上用它听歌看剧都合适，价格也不贵。"
    assert len(said(prompts.refine(text, "shorten"))) < len(text) * 0.7
    polished = said(prompts.polish(text))
    assert text in polished
    assert len(polished) > len(text)


@pytest.mark.parametrize(("asked", "expected"), [
    ("你好", "你好|嗨|哈喽"),
    ("你是谁？", "不是语言模型"),
    ("Who are you?", "not a language model"),
    ("thanks a lot", "welcome|pleasure|time"),
    ("How is the weather?", "weather"),
    ("这个多少钱", "链接|页面"),
    ("我家的猫会弹钢琴", "我家的猫会弹钢琴"),
    ("My uncle collects teapots", "My uncle collects teapots"),
    ("主题：坏人", "坏人"),
    ("讲一个小猫的故事", "小猫"),
])  # fmt: skip
def test_small_talk_answers_in_the_language_asked(asked: str, expected: str) -> None:
    for seed in range(10):
        reply = said(prompts.small_talk(asked), seed=seed)
        assert re.search(expected, reply)
        assert language_of(reply) == language_of(asked)


@given(st.text(max_size=60))
def test_anything_said_gets_an_answer(text: str) -> None:
    assert said([Message(role="user", content=text)]).strip()


def test_answers_depend_on_messages_and_seed_only() -> None:
    asked = prompts.story("友谊", "", "", 6, "zh")
    assert said(asked) == said(asked, temperature=2.0)
    assert said(asked, seed=1) == said(asked, seed=1) != said(asked, seed=2)


def test_the_answer_is_streamed_in_pieces_that_join_to_the_whole() -> None:
    found = deltas(prompts.story("a trip", "", "", 6, "en"))
    assert len(found) > 50
    assert max(len(delta.text) for delta in found) < 80
    assert [delta.finish for delta in found[:-1]] == [None] * (len(found) - 1)
    assert found[-1].finish == "stop"
    assert json.loads("".join(delta.text for delta in found))


def test_max_tokens_ends_the_answer_early() -> None:
    asked = prompts.small_talk("你好")
    whole = said(asked)
    short = deltas(asked, max_tokens=5)
    assert short[-1].finish == "length"
    assert "".join(delta.text for delta in short) == whole[:5]
    assert deltas(asked, max_tokens=len(whole))[-1].finish == "stop"


@pytest.mark.parametrize(("messages", "schema"), [
    (prompts.small_talk("你好"), Story.model_json_schema()),
    (prompts.polish("你好"), {"type": "object"}),
    (prompts.story("友谊", "", "", 6, "zh"), {"type": "object", "properties": {"name": {}}, "required": ["name"]}),
])  # fmt: skip
def test_other_schemas_are_refused(messages: list[Message], schema: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        said(messages, json_schema=schema)
    assert refused.value.param == "json_schema"


@given(st.integers(0, 10_000))
def test_products_that_nobody_has_heard_of_are_copied(seed: int) -> None:
    asked = product(Slots(Random(seed), "zh" if seed % 2 else "en", held_out=True)).messages
    copy = Scripted().generate(ChatRequest(messages=asked))
    text = "".join(delta.text for delta in copy)
    for line in asked[-1].content.split("\n"):
        assert re.split("[:：] ?", line, maxsplit=1)[1] in text


@pytest.mark.parametrize(("text", "length"), [("你 好\n，a b", 5), ("a  b\n c ", 5), ("", 0)])
def test_whitespace_counts_in_other_languages_than_chinese(text: str, length: int) -> None:
    assert length_of(text) == length


def test_languages_are_told_apart() -> None:
    assert language_of("hello 世界") == "zh"
    assert language_of("hello") == "en"
    assert language_of("🌈") == "en"
