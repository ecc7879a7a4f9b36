"""From the end of a spoken question to the first sound of its answer: streamed, against one stage after another.

python -m benchmarks.converse
"""

import asyncio
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import soxr
import yaml

from benchmarks.cluster import machine, served
from contracts.catalog import models
from contracts.settings import ROOT
from contracts.speech import SpeechRequest
from deployments.speech.espeak import Espeak
from graphs.split import pieces
from graphs.story import wav
from tests.services import Service, hosted

WRITER = "glm-4-plus"  # any that `openai` runs: the service is the one below
HEARER = "base"  # where the local cluster has none: as large as Whisper tiny, it hears the same words in everything
WIDTH, LAYERS = 384, 4
QUESTION = "你好，请给我介绍一下这款耳机，它有什么优点？"
ANSWER = (
    "这款耳机戴上以后特别安静，坐地铁也能听清楚。充一次电，可以连续听三十个小时。它很轻，戴一整天耳朵也不觉得累。"
    "今天在直播间下单，还送一个收纳盒。喜欢的朋友，点下面的链接就可以买到。"
)
TOKENS_S = 30.0  # about what a model of seven billion parameters writes on a small GPU; a character is one
RATE_HZ = 16_000
TOGETHER, ROUNDS, STOPS = (1, 8), 5, 10
HERE = {"TROUPE_GENERATION_LIMIT": "10000000 per minute"}


@dataclass(frozen=True)
class Answer:
    """Seconds from the end of the question."""

    first_s: float
    whole_s: float


def main() -> None:
    os.environ.update(HERE)
    with service() as base_url, configured(base_url) as config, served(config) as url:
        question = spoken()
        orders: dict[str, Callable[[], Awaitable[Answer]]] = {
            "one after another": lambda: in_order(url, question),
            "streamed, the question a file": lambda: streamed(url, wav(question, RATE_HZ), "file"),
            "streamed, the question raw sound": lambda: streamed(url, question, "pcm"),
        }
        for order in orders.values():
            asyncio.run(together(order, 1))  # warm
        print(machine())
        print(f"The answer has {len(pieces(ANSWER))} sentences, written at {TOKENS_S:.0f} tokens a second.\n")
        print("| at once | order | first sound, s | sooner by | all of it, s | of one after another |\n|" + "---|" * 6)
        for conversations in TOGETHER:
            rounds = [
                {name: asyncio.run(together(order, conversations)) for name, order in orders.items()}
                for _ in range(ROUNDS)
            ]
            table(conversations, {name: [each for some in rounds for each in some[name]] for name in orders})
        stops = sorted(asyncio.run(stopping(url, question)) * 1000 for _ in range(STOPS))
        print(f"\nInterrupted: `stopped` comes after {statistics.median(stops):.0f} ms, at most {stops[-1]:.0f} ms.")


def table(conversations: int, answers: dict[str, list[Answer]]) -> None:
    base: Answer | None = None
    for name, some in answers.items():
        median = Answer(*(statistics.median(getattr(each, part) for each in some) for part in ("first_s", "whole_s")))
        base = base or median
        ratios = f"{base.first_s / median.first_s:.1f} | {median.whole_s:.2f} | {median.whole_s / base.whole_s:.2f}"
        print(f"| {conversations} | {name} | {median.first_s:.2f} | {ratios} |")


async def together(order: Callable[[], Awaitable[Answer]], number: int) -> list[Answer]:
    return list(await asyncio.gather(*(order() for _ in range(number))))


async def in_order(url: str, question: bytes) -> Answer:
    """Three calls of OpenAI's API: all that was said, all that is answered, all of its sound."""
    async with aiohttp.ClientSession(url) as session:
        started = time.perf_counter()
        form = aiohttp.FormData()
        form.add_field("file", wav(question, RATE_HZ), filename="question.wav")
        async with session.post("/v1/audio/transcriptions", data=form) as heard:
            heard.raise_for_status()
            words = (await heard.json())["text"]
        asked = {"messages": [{"role": "user", "content": words}]}
        async with session.post("/v1/chat/completions", json=asked) as written:
            written.raise_for_status()
            answer = (await written.json())["choices"][0]["message"]["content"]
        text = {"input": answer, "response_format": "wav"}
        async with session.post("/v1/audio/speech", json=text) as said:
            said.raise_for_status()
            await said.read()
        seconds = time.perf_counter() - started
        return Answer(seconds, seconds)


async def streamed(url: str, question: bytes, form: str) -> Answer:
    async with aiohttp.ClientSession(url) as session, session.ws_connect("/ws/converse", max_msg_size=0) as socket:
        started = await ask(socket, question, form)
        await until(socket, "audio")
        first_s = time.perf_counter() - started
        await until(socket, "done")
        return Answer(first_s, time.perf_counter() - started)


async def stopping(url: str, question: bytes) -> float:
    """Seconds from an interruption, amid the first sentence, to the word that nothing more comes."""
    async with aiohttp.ClientSession(url) as session, session.ws_connect("/ws/converse", max_msg_size=0) as socket:
        await ask(socket, question, "pcm")
        await until(socket, "audio")
        started = time.perf_counter()
        await socket.send_json({"type": "stop"})
        await until(socket, "stopped")
        return time.perf_counter() - started


async def ask(socket: aiohttp.ClientWebSocketResponse, question: bytes, form: str) -> float:
    """When the question had ended: it is sent while it is spoken."""
    await socket.send_json({"type": "start", "format": form})
    await until(socket, "ready")
    await socket.send_bytes(question)
    started = time.perf_counter()
    await socket.send_json({"type": "end"})
    return started


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> None:
    async for message in socket:
        told = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
        if told.get("type") == "error":
            raise RuntimeError(told["message"])
        if told.get("type") == kind:
            return
    raise RuntimeError(f"closed before {kind}")


def spoken() -> bytes:
    """The question, raw."""
    import numpy as np

    engine = Espeak()
    engine.load()
    chunks = list(engine.synthesize(SpeechRequest(text=QUESTION)))
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")
    return soxr.resample(samples, chunks[0].sample_rate, RATE_HZ).astype("<i2").tobytes()


@contextmanager
def configured(base_url: str) -> Iterator[str]:
    """The local cluster with the service below as its language model, and a model that hears."""
    whole = yaml.safe_load((ROOT / "serve_config.local.yaml").read_text(encoding="utf-8"))
    application: dict[str, Any] = whole["applications"][0]
    known, arguments = models(), application["args"]
    chats = [name for name in arguments["models"] if known[name].capability == "chat"]
    mine = (
        [WRITER] if any(known[name].capability == "transcription" for name in arguments["models"]) else [WRITER, HEARER]
    )
    arguments["models"] = [*mine, *(name for name in arguments["models"] if name not in chats)]
    arguments["options"] = arguments.get("options", {}) | {WRITER: {"base_url": base_url, "key": ""}}
    kept = [each for each in application["deployments"] if each["name"] not in chats]
    added = [{"name": name, "num_replicas": 1, "ray_actor_options": {"num_cpus": 0}} for name in mine]
    application["deployments"] = [*kept, *added]
    with tempfile.TemporaryDirectory() as folder:
        if HEARER in mine:
            from tests.checkpoints import whisper

            whisper.build(Path(folder) / HEARER, WIDTH, LAYERS)
            arguments["options"][HEARER] = {"weights": str(Path(folder) / HEARER)}
        config = Path(folder) / "serve_config.yaml"
        config.write_text(yaml.safe_dump(whole), encoding="utf-8")
        yield str(config)


class Writer(Service):
    """Chat completions, streamed: the same answer to everything, at its pace."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        started = time.perf_counter()
        for number, token in enumerate(ANSWER, 1):
            time.sleep(max(0.0, started + number / TOKENS_S - time.perf_counter()))
            self._say({"content": token})
        self._say({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        try:
            self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        except OSError:  # who asked has left
            self.wfile = io.BytesIO()


@contextmanager
def service() -> Iterator[str]:
    with hosted(Writer) as url:
        yield f"{url}/v1"


if __name__ == "__main__":
    main()
