"""The inside of a spoken conversation: times that do not drift, frames among the sounds, what is remembered."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from contracts.chat import Message
from contracts.errors import NotFound
from contracts.settings import Settings
from deployments.speech.espeak import Espeak
from deployments.speech.espeak_library import RATE_HZ
from deployments.speech.loudness import QUIET
from graphs.chat import PIECE_S, Frame, Heard, Models, Piece, Question, Said, Sentence, Talk, answered, talk
from graphs.portrait import still
from jobs import expiry
from store.artifacts import Artifacts
from store.conversations import MOST, MOST_CHARACTERS, MOST_MESSAGES, Conversations, recent
from store.database import Database, now_ms
from tests.copywriting import Says
from tests.performing import Hears, NearSpeech

MINUTES, LARGEST_S = 5, 0.04
LINES = (
    "家人们晚上好，今天给大家带来一款面霜。",
    "It costs 99 yuan, and two of them are 159!",
    "价格是129元，喜欢的朋友看过来！",
)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> NearSpeech:
    engine = Espeak()
    engine.load()
    return NearSpeech("espeak", engine, Artifacts(Settings(var=tmp_path_factory.mktemp("var"))))


async def told(models: Models, **more: object) -> list[Heard | Piece]:
    async with aclosing(answered(Question("a.wav"), models, **more)) as pieces:  # type: ignore[arg-type]
        return [piece async for piece in pieces]


async def test_sound_and_subtitles_do_not_drift_in_five_minutes(speech: NearSpeech) -> None:
    """Each sentence is heard when its text says so, by the sound itself."""
    pieces = await told(Models(Hears("讲一讲"), Says("".join(LINES * 34)), speech))
    sentences = [each for each in pieces if isinstance(each, Sentence)]
    sounds = [each for each in pieces if isinstance(each, Said)]
    samples = np.frombuffer(b"".join(each.sound.pcm for each in sounds), "<i2").astype(int)
    assert len(samples) > MINUTES * 60 * RATE_HZ and len(sentences) > 100
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    for sentence in sentences:
        start = round(sentence.start_s * RATE_HZ)
        begins_s = (loud[np.searchsorted(loud, start)] - start) / RATE_HZ
        assert 0 <= begins_s < LARGEST_S, (sentence.number, begins_s)
        assert not np.any(np.abs(samples[max(0, start - RATE_HZ // 10) : start]) > QUIET)  # the pause before it
    passed = 0
    for each in sounds:
        assert abs(each.start_s - passed / RATE_HZ) < 1e-9
        assert 0 < each.sound.duration_s <= PIECE_S
        passed += len(each.sound.pcm) // 2
    assert passed == len(samples)


async def test_what_is_streamed_is_what_is_filmed(speech: NearSpeech) -> None:
    pieces = await told(Models(Hears("你好"), Says("".join(LINES)), speech))
    whole = await talk(Question("a.wav"), Models(Hears("你好"), Says("".join(LINES)), speech))
    pcm = b"".join(each.sound.pcm for each in pieces if isinstance(each, Said))
    assert whole == Talk("你好", "".join(LINES), whole.sound)
    assert (whole.sound.pcm, whole.sound.rate_hz) == (pcm, RATE_HZ)


async def test_frames_stand_among_the_sounds(speech: NearSpeech) -> None:
    """Whatever shows the speaker sees each sound before it is sent."""

    async def blinks(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Said):
                    yield Frame(b"%d" % len(piece.sound.pcm), piece.start_s)
                yield piece

    models = Models(Hears("你好"), Says("你好。再见。"), speech)
    pieces = await told(models, show=blinks)
    sounds = [each for each in pieces if isinstance(each, Said)]
    assert [each.jpeg for each in pieces if isinstance(each, Frame)] == [b"%d" % len(each.sound.pcm) for each in sounds]
    one = await told(Models(Hears("你好"), Says("你好。再见。"), speech), show=still(b"jpeg"))
    assert one[:2] == [Heard("你好", "zh"), Frame(b"jpeg", 0.0)] and one[2:] == [
        each for each in pieces[1:] if not isinstance(each, Frame)
    ]


async def test_what_was_said_before_is_known(speech: NearSpeech) -> None:
    before = [Message(role="user", content="我叫小明。"), Message(role="assistant", content="你好，小明。")]
    chat = Says("你叫小明。")
    await talk(Question("a.wav", before=before), Models(Hears("我叫什么？"), chat, speech))
    system, *asked = chat.asked[0].messages
    assert system.role == "system"
    assert asked == [*before, Message(role="user", content="我叫什么？")]


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    database = Database(Settings(var=tmp_path).tables_url)
    database.migrate()
    return Conversations(database)


def turns(*contents: str) -> list[Message]:
    said = [(content, f"回答{content}") for content in contents]
    return [
        message
        for asked, answer in said
        for message in (Message(role="user", content=asked), Message(role="assistant", content=answer))
    ]


def test_a_conversation_is_its_owners_alone(kept: Conversations) -> None:
    kept.keep("a", "ann", turns("一"))
    kept.keep("b", "bob", turns("二"))
    kept.keep("a", "ann", turns("三"))
    assert kept.messages("a", ("cookie", "ann")) == turns("一", "三")
    for name, owners in (("a", ("bob",)), ("b", ("ann",)), ("c", ("ann",))):
        with pytest.raises(NotFound):
            kept.messages(name, owners)


def test_the_oldest_is_forgotten(kept: Conversations) -> None:
    for number in range(MOST_MESSAGES):
        kept.keep("a", "ann", turns(str(number)))
    remembered = kept.messages("a", ("ann",))
    assert remembered == turns(*(str(number) for number in range(MOST_MESSAGES // 2, MOST_MESSAGES)))
    long = turns("长" * (MOST_CHARACTERS // 2))
    assert recent([*remembered, *long]) == recent([*long, *long]) == long
    for number in range(MOST + 3):
        kept.keep(f"b{number}", "bob", turns("一"))
    with pytest.raises(NotFound):
        kept.messages("b0", ("bob",))
    assert kept.messages(f"b{MOST + 2}", ("bob",)) and kept.messages("a", ("ann",))


def test_a_silent_conversation_is_removed(kept: Conversations) -> None:
    kept.keep("a", "ann", turns("一"))
    assert expiry.conversations(kept.database, now_ms() - 60_000, dry_run=False).count == 0
    assert expiry.conversations(kept.database, now_ms() + 60_000, dry_run=True).count == 1
    assert expiry.conversations(kept.database, now_ms() + 60_000, dry_run=False).count == 1
    with pytest.raises(NotFound):
        kept.messages("a", ("ann",))


async def test_the_first_sound_does_not_wait_for_a_long_sentence(speech: NearSpeech) -> None:
    text = "这款耳机戴上以后特别安静，坐地铁也能听清楚。充一次电，可以连续听三十个小时，一周都够了。"
    pieces = await told(Models(Hears("你好"), Says(text), speech))
    first, second, third = (each.text for each in pieces if isinstance(each, Sentence))
    assert first == "这款耳机戴上以后特别安静，"
    assert (first + second + third, third) == (text, "充一次电，可以连续听三十个小时，一周都够了。")
