"""Chinese numbers as words, and scripts that a voice does not read."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from contracts.speech import SpeechRequest
from deployments.registry import build
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import Prosody, synthesize
from deployments.speech.reading import read_out
from deployments.speech.scripts import check_script
from deployments.speech.spoken import language_of, symbols, worded

READ = [
    ("今天是2024年5月17日", "今天是二零二四年五月十七日"),
    ("原价￥1,288，立省50%", "原价一千二百八十八元，立省百分之五十"),
    ("跑了5km，重2.5kg", "跑了五公里，重二点五千克"),
    ("14:30开始，10:00结束", "十四点三十分开始，十点结束"),
    ("气温-3℃", "气温负三摄氏度"),
    ("1/3的人", "三分之一的人"),
    ("100-200元", "一百到两百元"),
    ("电话13800138000", "电话幺三八零零幺三八零零零"),
    ("打8.5折", "打八点五折"),
    ("第1,000名", "第一千名"),
    ("３只羊", "三只羊"),
    ("他说\"3\"，{3}，\\3", "他说\"三\"，{三}，\\三"),
    ("没有数字，A&B。", "没有数字，A&B。"),
]  # fmt: skip


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    engine = build("speech", "espeak", {})
    engine.load()
    return engine


def aloud(text: str) -> bytes:
    """As eSpeak's library says it."""
    return synthesize(text, "cmn", Prosody(wpm=400, pitch=50, pitch_range=50))


@pytest.mark.parametrize(("written", "words"), READ)
def test_numbers_are_read_as_people_say_them(written: str, words: str) -> None:
    assert read_out(written) == words
    assert aloud(symbols(written, "cmn")) == aloud(symbols(words, "cmn"))
    assert "".join(worded(written, "zh", 3_000)) == words


def test_espeak_alone_reads_them_wrongly() -> None:
    """Which is why it is not left to it."""
    assert all(aloud(written) != aloud(words) for written, words in READ[:8])


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from('0123456789.,:：%％￥$-~/年月日 点元"\\{}<>km℃兔a\n😀'), max_size=60))
@example("9" * 240)
@example("1,2,3,4" * 30)
def test_whatever_has_digits_can_be_read(text: str) -> None:
    words = read_out(text)
    assert not any(character.isascii() and character.isdigit() for character in words)
    assert "兔" not in text or words.count("兔") == text.count("兔")


@pytest.mark.parametrize("text", ["I have 3 apples.", "It cost $5.50 on 2024-05-17."])
def test_english_is_left_to_the_engines(text: str) -> None:
    assert "".join(worded(text, "", 3_000)) == text


def test_pieces_are_no_longer_than_asked_and_lose_nothing() -> None:
    text = "山上住着一只小兔子，它有3个朋友。😀" * 40 + "……！" + "a" * 500
    pieces = list(worded(text, "", 90))
    assert max(len(piece.encode()) for piece in pieces) <= 100
    assert sum(piece.count("兔") for piece in pieces) == 40 and sum(piece.count("三") for piece in pieces) == 40
    assert all(any(map(str.isalnum, piece)) for piece in pieces) and "".join(pieces).count("a") == 500


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("Привет, мир!", {"zh", "en"}),
        ("สวัสดีชาวโลก", {"en"}),
        ("こんにちは、世界", {"zh"}),
        ("안녕하세요 hi", {"en", "zh"}),
        ("مرحبا بالعالم", {"ru"}),
        ("नमस्ते दुनिया", {"th"}),
    ],
)
def test_a_script_that_the_voice_does_not_read_is_refused(text: str, languages: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_script(text, languages)
    assert refused.value.param == "text"


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("你好 hello Ärger", {"en"}),
        ("鲜の每日C", {"zh"}),
        ("α 粒子和 Ω", {"zh"}),
        ("Привет, мир!", {"ru"}),
        ("こんにちは", {"ja"}),
        ("12345 ……", {"en"}),
        ("😀🎉", {"zh"}),
        ("Привет", set()),
    ],
)
def test_what_it_reads_is_not(text: str, languages: set[str]) -> None:
    check_script(text, languages)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("你好 world", "cmn"),
        ("hello", "en-us"),
        ("Привет", "ru"),
        ("こんにちは、世界", "ja"),
        ("안녕하세요", "ko"),
        ("1", "en-us"),
    ],
)
def test_a_text_is_read_in_the_language_of_its_script(espeak: Espeak, text: str, tag: str) -> None:
    assert language_of(text) == espeak.language(SpeechRequest(text=text)) == tag


def test_a_named_voice_refuses_another_script(espeak: Espeak) -> None:
    request = SpeechRequest(text="สวัสดีชาวโลก", voice="cmn+f2")
    with pytest.raises(InvalidInput, match="Thai"):
        next(espeak.synthesize(request))
    assert next(espeak.synthesize(request.model_copy(update={"voice": "th"}))).pcm
