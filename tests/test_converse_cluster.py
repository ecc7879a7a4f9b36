"""Spoken conversations on a cluster: a Whisper that hears the same words in everything, the scripted writer, eSpeak."""

import asyncio

import httpx
import numpy as np
import soxr

from contracts.speech import SpeechRequest
from deployments.speech.espeak import Espeak
from tests.checkpoints.whisper import PHRASE
from tests.conftest import Cluster, sign_up
from tests.conversing import RATE_HZ, Talker, of, talking

AT_ONCE, TURNS = 8, 2


def question() -> bytes:
    """Somebody who speaks, raw."""
    engine = Espeak()
    engine.load()
    chunks = list(engine.synthesize(SpeechRequest(text="你好，请问你是谁？")))
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")
    return soxr.resample(samples, chunks[0].sample_rate, RATE_HZ).astype("<i2").tobytes()


async def test_eight_conversations_at_once_are_all_answered(studio: Cluster) -> None:
    """And each is its caller's alone."""
    asked, address = question(), f"{studio.url.replace('http', 'ws')}/ws/converse"

    async def talk(token: str) -> str:
        async with talking(f"{address}?token={token}") as talker:
            ready = await talker.begin(language="zh")
            for turn in range(1, TURNS + 1):
                messages = await talker.ask(asked)
                assert messages[-1]["type"] == "done", messages[-1]
                assert [each["text"] for each in of("heard", messages)] == [PHRASE]
                assert "".join(each["text"] for each in of("text", messages)).strip() == messages[-1]["text"]
                assert {each["turn"] for each in messages} == {turn}
                said_s = sum(len(each["content"]) / 2 / each["sample_rate"] for each in of("audio", messages))
                assert said_s > 0.5 and abs(said_s - messages[-1]["duration_s"]) < 0.001
        return str(ready["conversation_id"])

    tokens = [new_token(studio) for _ in range(AT_ONCE)]
    names = await asyncio.gather(*map(talk, tokens))
    assert len(set(names)) == AT_ONCE
    for token, expected in zip(tokens[:2], ("ready", "error"), strict=True):
        async with talking(f"{address}?token={token}") as talker:
            told = await talker.begin(conversation_id=names[0])
            assert (told["type"], told.get("messages", 2 * TURNS)) == (expected, 2 * TURNS)


def new_token(cluster: Cluster) -> str:
    with httpx.Client(base_url=cluster.url, timeout=60) as client:
        return sign_up(cluster, client)


async def test_a_conversation_that_is_stopped_goes_on(studio: Cluster) -> None:
    asked = question()
    async with talking(f"{studio.url.replace('http', 'ws')}/ws/converse") as talker:
        await talker.begin(frames=True)
        await talker.say(asked)
        await talker.until("heard")
        await talker.tell("stop")
        await _stopped(talker)
        messages = await talker.ask(asked)
        assert {each["turn"] for each in messages} == {2} and messages[-1]["type"] == "done"
        assert of("frame", messages)[0]["content"].startswith(b"\xff\xd8")


async def _stopped(talker: Talker) -> None:
    """Whatever was on its way before it."""
    messages = await talker.until("stopped")
    assert messages[-1]["turn"] == 1
