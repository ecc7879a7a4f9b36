"""What a topic says that a story is about."""

import pytest

from contracts.themes import tells_of, theme_of


@pytest.mark.parametrize(
    ("topic", "theme"),
    [
        ("小狐狸学会分享", "share"),
        ("小马学会勇敢", "courage"),
        ("小羊为什么怕黑", "courage"),
        ("天空为什么是蓝的？", "wonder"),
        ("中秋节的月亮", "festival"),
        ("小猪学会节约用水", "help"),
        ("小鹿学会说谢谢", "help"),
        ("小猴子找宝藏", "lost"),
        ("小象的新朋友", "friend"),
        ("A Little Fox SHARES her berries", "share"),
        ("the shark and the shard", ""),
        ("小狐狸和星野", ""),
        ("", ""),
    ],
)
def test_the_theme_of_a_topic(topic: str, theme: str) -> None:
    assert theme_of(topic) == theme


def test_a_story_tells_of_it_in_its_own_words() -> None:
    assert tells_of("share", "它把果子分给大家，真大方。") and tells_of("share", "She Shared it.")
    assert tells_of("share", "“对不起，我们一起吃吧。”它把大的一块递了过去。") and theme_of("一起吃饭") == ""
    assert not tells_of("share", "它不怕黑了。") and tells_of("", "")
