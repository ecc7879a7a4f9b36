"""A spoken conversation over a WebSocket, at an API of its own with a real voice in the same process."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import websockets
from fastapi import WebSocket
from PIL import Image
from starlette.types import Message as Sent

from api.app import build
from api.callers import Caller
from api.human.converse import MOST_CONVERSATIONS, Conversation
from api.human.utterances import LONGEST_S, MOST_BYTES
from api.models import Models
from api.sockets import _open
from api.state import Engines, State
from contracts.catalog import models
from deployments.image.painter import Painter
from deployments.speech.espeak import Espeak
from graphs.acting import SLOWEST
from graphs.story import wav
from store.conversations import Conversations
from tests.avatars import nerf, ship
from tests.conversing import RATE_HZ, Counts, Rambles, Repeats, Talker, of, talking, tone
from tests.listening import address_of, listening
from tests.media import film, picture, sound
from tests.performing import Hears, NearImage, NearSpeech
from tests.trainings import Trainer, Workshop
from tests.waiting import soon

pytest_plugins = ["tests.workshop"]
SERVED = ("tiny", "scripted", "espeak", "painter")
LONG_ENOUGH = 6_400  # samples


@pytest.fixture(scope="module")
def state(workshop: Workshop) -> State:
    """Hears how long a recording is, and repeats what it heard, aloud."""
    espeak, painter, files = Espeak(wpm=400), Painter(), workshop.state.artifacts
    espeak.load()
    painter.load()
    engines = Engines(
        transcriptions={"tiny": Counts(files)},
        chats={"scripted": Repeats()},
        speeches={"espeak": NearSpeech("espeak", espeak, files)},
        images={"painter": NearImage("painter", painter, files)},
    )
    served = Models([models()[name] for name in SERVED], models(), False)
    return replace(workshop.state, models=served, engines=engines)


@pytest.fixture(scope="module")
def url(state: State) -> Iterator[str]:
    with listening(build(state)) as server:
        yield f"{address_of(server)}/ws/converse"


def recordings(state: State) -> list[Path]:
    return [path for path in (state.settings.var / "artifacts" / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize("prefix", ["", "/human", "/human/v1"])
async def test_a_question_is_answered_sentence_by_sentence(url: str, state: State, prefix: str) -> None:
    async with talking(url.replace("/ws", f"{prefix}/ws")) as talker:
        ready = await talker.begin(language="zh")
        assert (ready["type"], ready["sample_rate"], ready["messages"], ready["frames"]) == ("ready", RATE_HZ, 0, "")
        assert (ready["chat_model"], ready["speech_model"]) == ("repeats", "espeak")
        await talker.ask(tone(7_000))
        heard, *answer, done = await talker.ask(tone(8_000))
    assert (heard["type"], heard["text"], heard["language"], heard["turn"]) == ("heard", "8000", "zh", 2)
    assert [each["text"] for each in of("text", answer)] == ["你说了7000。", "你说了8000。"]
    assert (done["type"], done["text"]) == ("done", "你说了7000。你说了8000。")
    assert [each["type"] for each in answer if each["sentence"] == 0][:2] == ["text", "audio"]
    sounds = of("audio", answer)
    for earlier, later in pairwise(sounds):
        assert later["start_s"] == pytest.approx(earlier["start_s"] + earlier["duration_s"], abs=2e-6)
    assert done["duration_s"] == pytest.approx(sum(each["duration_s"] for each in sounds), abs=1e-4)
    for each in sounds:
        assert each["duration_s"] == pytest.approx(len(each["content"]) / 2 / each["sample_rate"], abs=1e-6)
    assert [each["start_s"] for each in of("text", answer)][1] == next(
        each["start_s"] for each in sounds if each["sentence"] == 1
    )
    await soon(lambda: not _open and not recordings(state))


async def test_eight_at_once_hear_nothing_of_one_another(url: str) -> None:
    async def talk(number: int) -> None:
        async with talking(url) as talker:
            await talker.begin()
            told: list[str] = []
            for turn in range(3):
                told.append(str(LONG_ENOUGH + 1_000 * number + 2 * turn))
                messages = await talker.ask(tone(int(told[-1])))
                assert [each["text"] for each in of("heard", messages)] == told[-1:]
                assert messages[-1]["text"] == "".join(f"你说了{each}。" for each in told)
                assert {each["turn"] for each in messages} == {turn + 1}

    await soon(lambda: not _open)  # one caller has no more
    await asyncio.gather(*(talk(number) for number in range(MOST_CONVERSATIONS)))


async def test_a_conversation_goes_on_where_it_was(url: str, state: State) -> None:
    async with talking(url) as talker:
        ready = await talker.begin()
        await talker.ask(tone(7_000))
    async with talking(url) as talker:
        again = await talker.begin(conversation_id=ready["conversation_id"])
        assert (again["conversation_id"], again["messages"]) == (ready["conversation_id"], 2)
        assert (await talker.ask(tone(8_000)))[-1]["text"] == "你说了7000。你说了8000。"


async def test_another_callers_conversation_is_not_there(url: str, trainer: Trainer, workshop: Workshop) -> None:
    async with talking(url, **{"X-API-Key": trainer.key}) as talker:
        theirs = (await talker.begin())["conversation_id"]
        await talker.ask(tone(7_000))
    for key, expected in ((workshop.trainer().key, "error"), (trainer.key, "ready")):
        async with talking(f"{url}?token={key}") as talker:
            assert (await talker.begin(conversation_id=theirs))["type"] == expected
    async with talking(url) as talker:
        told = await talker.begin(conversation_id=theirs)
        assert (told["code"], told["param"]) == ("not_found", "conversation_id")
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await talker.next()
        assert closed.value.rcvd and closed.value.rcvd.code == 1008


def rambling(state: State) -> tuple[State, Rambles]:
    rambles = Rambles()
    return replace(state, engines=replace(state.engines, chats={"scripted": rambles})), rambles


async def test_a_new_utterance_stops_the_answer(state: State, trainer: Trainer) -> None:
    state, rambles = rambling(state)
    with listening(build(state)) as server:
        async with talking(f"{address_of(server)}/ws/converse?token={trainer.key}") as talker:
            name = (await talker.begin())["conversation_id"]
            await talker.say(tone(7_000))
            begun = await talker.until("audio")
            await talker.socket.send(tone(100))  # the first of what is said next
            stopped = await talker.until("stopped")
            assert stopped[-1]["turn"] == 1
            await soon(lambda: not rambles.running)
            await talker.say(tone(7_900))
            [heard, *_] = answer = await talker.until("audio")
            assert (heard["text"], {each["turn"] for each in answer}) == ("8000", {2})
            await talker.tell("stop")
            await talker.until("stopped")
            await talker.tell("ping")
            assert (await talker.next())["type"] == "pong"  # and nothing else
        await soon(lambda: not rambles.running and not _open)
    question, answer, *_ = Conversations(state.database).messages(name, (trainer.owner,))
    said = of("text", begun + stopped)
    assert (question.content, question.role, answer.role) == ("7000", "user", "assistant")
    assert said[0]["text"] in answer.content  # what was heard of it is remembered
    assert len(answer.content) < 10 * sum(len(each["text"]) for each in said)
    assert not recordings(state)


async def test_who_leaves_leaves_nothing(state: State) -> None:
    state, rambles = rambling(state)
    with listening(build(state)) as server:
        for leave in ("close", "abort"):
            async with talking(f"{address_of(server)}/ws/converse") as talker:
                await talker.begin()
                await talker.say(tone(7_000))
                await talker.until("audio")
                assert rambles.running == 1 and recordings(state)
                if leave == "abort":
                    talker.socket.transport.abort()
            await soon(lambda: not rambles.running and not _open and not recordings(state))


async def test_who_does_not_listen_holds_the_models_up(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made for it does not pile up, and it is given up."""
    monkeypatch.setattr("api.human.outbox.SEND_S", 1.0)
    state, rambles = rambling(state)
    came: asyncio.Queue[Sent] = asyncio.Queue()
    came.put_nowait({"type": "websocket.connect"})
    for text in ('{"type": "start"}', tone(7_000), '{"type": "end"}'):
        came.put_nowait({"type": "websocket.receive", "text" if isinstance(text, str) else "bytes": text})

    async def send(message: Sent) -> None:
        if "bytes" in message:
            await asyncio.Event().wait()

    socket = WebSocket({"type": "websocket", "headers": []}, came.get, send)
    async with asyncio.timeout(20):
        await Conversation(socket, state, Caller("key:1")).run()
    assert 0 < rambles.sentences < 30 and not rambles.running


FIRST: list[tuple[dict[str, Any] | bytes | str, str, str]] = [
    (b"\0\0", "invalid_input", "type"),
    ("{", "invalid_input", "type"),
    ("[]", "invalid_input", "type"),
    ({"type": "end"}, "invalid_input", "type"),
    ({"type": "start", "voice": "x"}, "invalid_input", "voice"),
    ({"type": "start", "frames": "yes"}, "invalid_input", "frames"),
    ({"type": "start", "language": "中文"}, "invalid_input", "language"),
    ({"type": "start", "language": "tlh"}, "invalid_input", "language"),
    ({"type": "start", "format": "mp3"}, "invalid_input", "format"),
    ({"type": "start", "model_name": "Wav2Lip"}, "invalid_input", "model_name"),
    ({"type": "start", "api_choice": "nobody"}, "invalid_input", "api_choice"),
    ({"type": "start", "api_choice": "glm-4-plus"}, "unavailable", "api_choice"),
    ({"type": "start", "ref_audio_id": "nobody"}, "not_found", "ref_audio_id"),
    ({"type": "start", "conversation_id": "0" * 32}, "not_found", "conversation_id"),
    ({"type": "start", "\ud800": 1}, "invalid_input", "type"),
]


@pytest.mark.parametrize(("first", "code", "param"), FIRST)
async def test_a_conversation_begins_with_what_can_be_had(url: str, first: Any, code: str, param: str) -> None:
    async with talking(url) as talker:
        if isinstance(first, dict):
            await talker.tell(**({"kind": first["type"]} | {k: v for k, v in first.items() if k != "type"}))
        else:
            await talker.socket.send(first)
        told = await talker.next()
        assert (told["type"], told["code"], told["param"]) == ("error", code, param)
        assert told["message"]
        with pytest.raises(websockets.ConnectionClosedError):
            await talker.next()


LATER: list[tuple[list[bytes | str], str, str]] = [
    (["{"], "invalid_input", "JSON"),
    (["[1]"], "invalid_input", ""),
    (["[" * 4_000], "invalid_input", "JSON"),
    (['{"type": "shout"}'], "invalid_input", ""),
    (['{"type": "start"}'], "invalid_input", "已经开始"),
    (['{"type": "end", "x": 1}'], "invalid_input", "未知字段"),
    (["x" * 5_000], "too_large", "字符"),
    (['{"type": "end"}'], "invalid_input", "还没有收到声音"),
    ([tone(LONG_ENOUGH) + b"\0", '{"type": "end"}'], "invalid_input", "奇数"),
    ([tone(1_600), '{"type": "end"}'], "invalid_input", "太短"),
    ([bytes(MOST_BYTES["pcm"]), b"\0\0", b"\0\0", '{"type": "end"}'], "too_large", f"{LONGEST_S} 秒"),
]


@pytest.mark.parametrize(("sent", "code", "words"), LATER)
async def test_what_is_wrong_is_told_once_and_the_conversation_goes_on(
    url: str, state: State, sent: list[bytes | str], code: str, words: str
) -> None:
    async with talking(url) as talker:
        await talker.begin()
        for message in sent:
            await talker.socket.send(message)
        told = await talker.next()
        assert (told["type"], told["code"]) == ("error", code)
        assert words in told["message"]
        messages = await talker.ask(tone(7_000))
        assert (messages[0]["type"], messages[-1]["type"]) == ("heard", "done")
    await soon(lambda: not recordings(state))


async def test_a_question_in_which_nobody_speaks_is_not_answered(state: State) -> None:
    engines = replace(state.engines, transcriptions={"tiny": Hears("……")})
    with listening(build(replace(state, engines=engines))) as server:
        async with talking(f"{address_of(server)}/ws/converse") as talker:
            await talker.begin()
            [told] = await talker.ask(tone(7_000))
            assert (told["type"], told["turn"], told["param"]) == ("error", 1, "audio")


def recorded(seconds: float) -> bytes:
    return wav(tone(int(RATE_HZ * seconds)), RATE_HZ)


async def test_utterances_may_be_files(state: State) -> None:
    engines = replace(state.engines, transcriptions={"tiny": (hears := Hears("你好"))})
    with listening(build(replace(state, engines=engines))) as server:
        async with talking(f"{address_of(server)}/ws/converse") as talker:
            await talker.begin(format="file")
            for content in (recorded(1.0), sound("webm", "libopus", 48_000)):
                messages = await talker.ask(content)
                assert messages[-1]["type"] == "done", messages[-1]
            assert [Path(key).suffix for key in hears.asked] == [".wav", ".weba"]
            bad = {picture(): "unsupported_media", film("mp4", "libx264", 1.0): "unsupported_media"}
            bad |= {b"x" * 9_000: "unsupported_media", recorded(1.0)[:50]: "invalid_input"}
            bad |= {recorded(0.2): "invalid_input", recorded(LONGEST_S + 1): "invalid_input"}
            for content, code in bad.items():
                [told] = await talker.ask(content)
                assert (told["type"], told["code"]) == ("error", code), told
            assert (await talker.ask(recorded(1.0)))[-1]["type"] == "done"
    await soon(lambda: not recordings(state))


async def test_who_speaks_is_seen(url: str) -> None:
    """A still portrait, with the mark that pictures bear; it stays for the whole answer."""
    async with talking(url) as talker:
        assert (await talker.begin(frames=True))["frames"] == "portrait"
        for _ in range(2):
            messages = await talker.ask(tone(7_000))
            [frame] = of("frame", messages)
            assert (frame["start_s"], frame["media_type"]) == (0.0, "image/jpeg")
            with Image.open(io.BytesIO(frame["content"])) as seen:
                assert (seen.format, seen.size) == ("JPEG", (720, 720))
            assert b"AIGC" in frame["content"]


async def test_an_avatar_is_seen_while_it_speaks(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its frames come before the sound that they belong to, with the label, and no more than 40 ms apart from it."""
    ship(tmp_path)
    for module in ("api.human.folders", "deployments.avatar.players"):
        monkeypatch.setattr(f"{module}.CATALOG", tmp_path)
    stage = nerf(state.artifacts)
    acted = replace(state, engines=replace(state.engines, avatars={"SyncTalk": stage}))
    with listening(build(acted)) as server:
        async with talking(f"{address_of(server)}/ws/converse") as talker:
            told = await talker.begin(frames=True, model_name="ER-NeRF", model_param="models/ER-NeRF/none")
            assert (told["type"], told["param"]) == ("error", "model_param")
        async with talking(f"{address_of(server)}/ws/converse") as talker:
            assert (await talker.begin(frames=True, model_name="ER-NeRF"))["frames"] == "avatar"
            assert list(stage.players.sizes()) == ["starter/avatars/ER-NeRF"]
            *messages, done = await talker.ask(tone(7_000))
    frames = of("frame", messages)
    assert done["type"] == "done" and len(frames) > 5
    assert all(each["start_s"] * 25 == pytest.approx(round(each["start_s"] * 25)) for each in frames)
    assert done["duration_s"] - frames[-1]["start_s"] <= SLOWEST / 25
    assert all(b"AIGC" in each["content"] for each in frames)
    with Image.open(io.BytesIO(frames[0]["content"])) as seen:
        assert (seen.format, seen.size) == ("JPEG", (640, 512))
    seen_s = 0.0
    for each in messages:
        if each["type"] == "audio":
            assert each["start_s"] + each["duration_s"] <= seen_s + SLOWEST / 25 + 1e-6
        seen_s = each["start_s"] if each["type"] == "frame" else seen_s


async def test_one_caller_has_so_many_conversations(url: str, trainer: Trainer, workshop: Workshop) -> None:
    mine, other = f"{url}?token={trainer.key}", workshop.trainer()
    sockets = [await websockets.connect(mine) for _ in range(MOST_CONVERSATIONS)]
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(mine)
    assert refused.value.response.status_code == 429
    async with talking(f"{url}?token={other.key}") as talker:
        assert (await talker.begin())["type"] == "ready"
    for socket in sockets:
        await socket.close()
    await soon(lambda: not _open)


async def test_utterances_are_counted_as_calls_are(state: State) -> None:
    limited = state.settings.model_copy(update={"route_limits": {"/ws/converse": "1 per minute"}})
    rates = type(state.rates)(limited)
    with listening(build(replace(state, rates=rates))) as server:
        async with talking(f"{address_of(server)}/ws/converse") as talker:
            await talker.begin()
            assert (await talker.ask(tone(7_000)))[-1]["type"] == "done"
            [told] = await talker.ask(tone(7_000))
            assert told["code"] == "overloaded" and 0 < told["retry_after_s"] <= 60


async def test_who_says_nothing_is_let_go(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.human.converse.START_S", 0.1)
    monkeypatch.setattr("api.human.converse.IDLE_S", 0.3)
    monkeypatch.setattr("api.human.converse.BEAT_S", 0.05)
    with listening(build(state)) as server:
        for begins in (False, True):
            async with websockets.connect(f"{address_of(server)}/ws/converse") as socket:
                talker = Talker(socket)
                if begins:
                    assert (await talker.begin())["type"] == "ready"
                assert (await talker.next())["code"] == "deadline"
                with pytest.raises(websockets.ConnectionClosedOK):
                    await talker.next()
