"""Splitting text into speakable pieces, whole and while it is still being written."""

import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.boundaries import wide
from graphs.split import pieces, readable, sentences

ALPHABET = "aB3 .,!?;:'\"“”‘’()（）「」《》。，、！？；：…—·-\n\t\r我好一的あ한é́0١😀🇨🇳\u200d\ufe0f#$@/．~"
FRAGMENTS = [
    "Dr. ",
    "e.g. ",
    "U.S. ",
    "3.14",
    "……",
    "...",
    "https://a.b/c?d=e",
    "你好",
    "他说：“好。”",
    "hello ",
    "1,000",
    "\r\n",
]
texts = st.one_of(
    st.text(), st.text(ALPHABET, max_size=200), st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)
)


@given(texts)
def test_joined_pieces_give_the_text_back(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(texts)
def test_every_piece_has_something_to_say(text: str) -> None:
    found = pieces(text)
    assert all(found)
    assert len(found) <= 1 if not readable(text) else all(map(readable, found))


@given(texts, st.lists(st.integers(0, 200), max_size=8))
async def test_streamed_text_gives_the_same_pieces(text: str, at: list[int]) -> None:
    async def deltas() -> AsyncIterator[str]:
        for start, end in pairwise([0, *sorted(at), None]):
            yield text[start:end]

    assert [piece async for piece in sentences(deltas())] == pieces(text)


async def test_a_sentence_is_given_before_the_next_is_written() -> None:
    written = ""

    async def deltas() -> AsyncIterator[str]:
        nonlocal written
        for character in "你好，世界。“今天天气很好。”她说。":
            written += character
            yield character

    seen = [(piece, written) async for piece in sentences(deltas())]
    assert seen[0] == ("你好，世界。", "你好，世界。“今")
    assert seen[1] == ("“今天天气很好。”", "你好，世界。“今天天气很好。”她")


@pytest.mark.parametrize(
    "expected",
    [
        [],
        ["你好。"],
        ["从前有一只兔子。", "它很聪明！", "你知道吗？", "好。"],
        ["他说：“你好！”", "然后走了。"],
        ["「行くよ！』", "（完。）", "次。"],
        ["他说：“真的吗？！”", "她点头……然后笑了。"],
        ['他说："你好。', '我走了。"', "她笑了。"],
        ["Hello there. ", "How are you? ", "Fine!"],
        ["“Hello!” she said. ", "‘Go.’ ", "He left."],
        ["Really?! ", "Yes!!! ", "Well... ", "I see."],
        ["Dr. Smith met Mr. and Mrs. Lee on St. James St. and left."],
        ["We sell fruit, e.g. apples, i.e. red ones, in the U.S. and the U.K. only."],
        ["Take No. 5 at 9 a.m. or 5 p.m. today. ", "See Fig. 3."],
        ["She said no. ", "I agree."],
        ["We met at 5 p.m. ", "Then we left."],
        ["Pi is 3.14, not 1,000. ", "Use v2.0.1 at 10:30 on 2025.12.18. ", "OK?"],
        ["圆周率是3.14，共1,000个。", "版本v2.0.1在10:30发布，日期2025.12.18。"],
        ["约3．5米。", "时间10：30。"],
        ["See https://example.com/a.b?c=d&e=1,2! ", "Or mail first.last@example.co.uk. ", "Thanks."],
        ["请看https://example.com/a.html。", "谢谢！"],
        ["我爱Python。", "It is fun. ", "真的！"],
        ["1. First item\n", "2. Second item\n", "- third\n"],
        ["标题\n\n", "“正文”在这里\r\n", "第二行"],
        ["A line that is\nwrapped by width. ", "Next."],
        ["  。。！你好！😀 ", "“好。”……  "],
        ["😀 …… ！"],
        ["J. R. R. Tolkien wrote it."],
    ],
)
def test_the_cuts_people_expect(expected: list[str]) -> None:
    assert pieces("".join(expected)) == expected


def columns(text: str) -> int:
    return sum(2 if wide(character) else 1 for character in text.strip())


@pytest.mark.parametrize(
    ("sentence", "ends"),
    [
        ("很久很久以前，山上住着一只小兔子，" * 12 + "完。", "，。"),
        ("once upon a time, a rabbit lived on a hill, " * 12 + "it was red.", ",."),
        ("the quick brown fox jumps over the lazy dog " * 12 + "again.", "gxysrednk."),
        ("苹果、香蕉、橘子和梨、" * 20 + "等。", "、。"),
    ],
)
def test_long_sentences_are_cut_at_commas_then_spaces(sentence: str, ends: str) -> None:
    found = pieces(sentence)
    assert len(found) > 2
    for piece in found:
        assert columns(piece) <= 82
        assert piece.rstrip()[-1] in ends


def test_an_unbroken_run_is_cut_in_the_end() -> None:
    assert max(map(len, pieces("山" * 1000))) <= 60
    assert max(map(len, pieces("a" * 5000))) <= 400
    url = "https://example.com/" + "a" * 200
    assert any(url in piece for piece in pieces(f"Look at {url} and at nothing else, please."))


@pytest.mark.parametrize(
    "unit", [".", "a", "山", " ", "a.", "。a", "\"'", ". ", "-a中", "a\u0301", "“", "a, ", "1.", "\n"]
)
def test_hostile_input_takes_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    start = time.process_time()
    assert "".join(pieces(text)) == text
    assert time.process_time() - start < 5
