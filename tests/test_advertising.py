"""Advertising law: what is flagged, what is innocent, and what stands there instead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.advertising import rules
from graphs.advertising import flags, lawful, rewritten

COPY = st.text(st.sampled_from("最第一级国家顶绝对次近后好低价全网百有效销量的，。 018%Noｏ１\n\u200b"), max_size=40)


@pytest.mark.parametrize(("text", "said"), [
    ("最好的耳机", "很好的耳机"),
    ("最最最便宜", "很便宜"),
    ("最先进的技术", "很先进的技术"),
    ("国内最大的工厂", "国内很大的工厂"),
    ("最佳选择", "好选择"),
    ("最新款", "新款"),
    ("价格最低99元", "价格低至99元"),
    ("全网最低价", "直播间优惠价"),
    ("口感第一", "口感出色"),
    ("销量全国第一的面膜", "深受欢迎的面膜"),
    ("行业第一品牌", "人气品牌"),
    ("全国ＮＯ．１", "广受好评"),
    ("国家级品质", "高标准品质"),
    ("顶级面料", "优质面料"),
    ("绝对好用", "真的好用"),
    ("唯一的机会", "难得的机会"),
    ("这款精华100 % 有效", "这款精华值得一试"),
    ("百分百安全", "让人安心"),
    ("药到病除", "呵护日常"),
    ("国家领导人推荐", "精选"),
    ("国家免检", "品质可靠"),
    ("稳赚不赔", "值得考虑"),
])  # fmt: skip
def test_forbidden_terms_are_replaced(text: str, said: str) -> None:
    assert rewritten(text) == said


@pytest.mark.parametrize("text", [
    "最近天气凉了，最后还有三十单，最晚明天发货，最快次日到",
    "最多买两件，最少一件，最好先看尺码表再下单",
    "大家最关心的价格来了，我最喜欢蓝色，你们最想要哪个",
    "最大承重两百斤，最高温度180度，最长可用30小时，最小号是S码",
    "第一次来的朋友，第一步先点关注，第一时间给大家发货，第一印象很好",
    "第一，它很轻；第二，它很薄。", "第一个下单的朋友送袜子，第一百名送大礼，第一百单免费",
    "质量第一，顾客第一", "唯一编码，具有唯一性，唯一的缺点是颜色少", "历史上有名的茶山",
    "100%纯棉，百分之百羊毛", "国家级非物质文化遗产", "统一流程，确保本店发货，环保本色",
    "绝对值和绝对湿度", "这个颜色很治愈，理疗效果", "最佳赏味期三天", "最初的样子，最终的价格",
    "从指尖端详到手心", "世界第一高峰", "中国第一次登月", "独家代理，永久自行车，万能遥控器",
    "热烈欢迎每一位朋友进入我们的直播间！", "前一百下单立减四十元",
])  # fmt: skip
def test_ordinary_words_are_not_flagged(text: str) -> None:
    assert flags(text) == []
    assert rewritten(text) == text


def test_a_flag_says_where_and_why_and_what_instead() -> None:
    text = "这是Ｎｏ．１的茶"
    (flag,) = flags(text)
    assert (flag.term, text[flag.start : flag.end], flag.replacement) == ("Ｎｏ．１", "Ｎｏ．１", "广受好评")
    assert flag.reason.startswith("广告法第九条")


@settings(max_examples=300, deadline=None)
@given(COPY, st.lists(COPY, max_size=2))
def test_rewritten_text_is_lawful_and_stays_as_it_is(text: str, facts: list[str]) -> None:
    assert flags(rewritten(text)) == []
    assert flags(text) or rewritten(text) == text
    once = rewritten(text, facts)
    assert rewritten(once, facts) == once


@settings(max_examples=200, deadline=None)
@given(COPY, COPY, st.sampled_from(["顶级工匠保温杯", "全网最低价", "第一印象"]))
def test_facts_are_kept_and_everything_is_told(before: str, after: str, fact: str) -> None:
    text, found = lawful(f"{before}。{fact}。{after}", [fact])
    assert fact in text
    assert {flag.start for flag in flags(text)} == {flag.start for flag in found if not flag.rewritten}
    for flag in found:
        stands = text[flag.start : flag.end]
        assert stands == flag.term if not flag.rewritten else stands in (flag.replacement, "")


def test_a_fact_is_kept_where_it_stands_and_nowhere_else() -> None:
    text, found = lawful("顶级工匠保温杯，顶级做工，全网最低价", ["顶级工匠保温杯", "全网最低价"])
    assert text == "顶级工匠保温杯，优质做工，全网最低价"
    assert [(flag.term, flag.rewritten) for flag in found] == [
        ("顶级", False), ("顶级", True), ("全网最低价", False)
    ]  # fmt: skip


def test_every_replacement_is_lawful_itself() -> None:
    for rule in rules():
        assert flags(rule.replacement) == []
        assert rule.reason
