"""A recording written down: our route against the library alone, in seconds of sound a second.

python -m benchmarks.transcribe [FOLDER]    # a Whisper in CTranslate2's files; without: the starter's, or one as large
                                            # as Whisper tiny that says the same of every half minute
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import aiohttp

from benchmarks.cluster import apart, configured, machine, served
from contracts import prompts
from contracts.catalog import CATALOG
from contracts.speech import SpeechRequest
from deployments.chat.scripted.engine import answer
from deployments.speech.espeak import Espeak
from graphs.story import wav

MODEL = "base"  # any that faster-whisper runs: the weights are those of the folder
STARTER = CATALOG / "starter" / "asr"
SECONDS = 60  # of the recording, at least
REQUESTS = {1: 2, 8: 8}  # by the number of clients, who share them
ROUNDS = 3  # of the systems in turn, so that a slow moment of the machine meets both
TINY = {"width": 384, "layers": 4}  # Whisper tiny's, but for its vocabulary
SAID = "今天早上狐狸去赶集路上遇见一只兔子兔子丢了一篮子苹果他们一起翻过小山去找"  # a token is a byte

Rates = Mapping[int, float]  # seconds of sound a second, by the number of clients


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else model(Path(place))
        recording = Path(place) / "recording.wav"
        seconds = record(recording)
        systems = [partial(library, recording, seconds), partial(route, recording, seconds)]
        rounds = [[apart(system, folder) for system in systems] for _ in range(ROUNDS)]
    alone, ours = zip(*rounds, strict=True)
    print(machine())
    print(f"Model: {folder.name}; a recording of {seconds:.0f} s\n")
    print(
        "| clients | system | seconds of sound a second | of the library's | of one client's |\n|---|---|---|---|---|"
    )
    for clients in REQUESTS:
        for name, system in (("library", alone), ("route", ours)):
            rate = middle(system, clients)
            print(f"| {clients} | {name} | {rate:.1f} | {rate / middle(alone, clients):.2f} | ", end="")
            print(f"{rate / middle(system, 1):.2f} |")


def middle(rounds: Sequence[Rates], clients: int) -> float:
    return statistics.median(rates[clients] for rates in rounds)


def model(place: Path) -> Path:
    """The starter's folder; where there is none, a model of tiny's size, in `place`."""
    if (STARTER / "model.bin").is_file():
        return STARTER
    from tests.checkpoints.whisper import build

    build(place / "random", **TINY, phrase=SAID)
    return place / "random"


def record(path: Path) -> float:
    """Keeps live copy, read aloud; its seconds."""
    engine = Espeak()
    engine.load()
    sound, number = b"", 0
    while len(sound) < SECONDS * 2 * 22_050:
        features = ["长效保温", f"容量{number % 90 + 10}0毫升"]
        text = answer(prompts.product_script(f"星野{number}号保温杯", features, "上班族", "99元", "买一送一"), number)
        chunks = list(engine.synthesize(SpeechRequest(text=text, language="zh")))
        sound, number = sound + b"".join(chunk.pcm for chunk in chunks), number + 1
    path.write_bytes(wav(sound, chunks[0].sample_rate))
    return len(sound) / 2 / chunks[0].sample_rate


def library(recording: Path, seconds: float, folder: Path) -> Rates:
    """As its documentation has it, with what our engine asks for; clients are threads."""
    from faster_whisper import WhisperModel

    hears = WhisperModel(str(folder), device="cpu", compute_type="int8")

    def hear(_: int) -> None:
        phrases, _ = hears.transcribe(str(recording), vad_filter=True, condition_on_previous_text=False)
        list(phrases)

    def rate(clients: int) -> float:
        with ThreadPoolExecutor(clients) as pool:
            started = time.perf_counter()
            list(pool.map(hear, range(REQUESTS[clients])))
            return REQUESTS[clients] * seconds / (time.perf_counter() - started)

    hear(0)
    return {clients: rate(clients) for clients in REQUESTS}


def route(recording: Path, seconds: float, folder: Path) -> Rates:
    """`/v1/audio/transcriptions`, with files sent and checked."""
    os.environ["TROUPE_GENERATION_LIMIT"] = "10000000 per minute"
    options = {"weights": str(folder.resolve()), "device": "cpu"}
    with configured(MODEL, options, max_ongoing_requests=8) as config, served(config) as url:
        return asyncio.run(_route(url, recording.read_bytes(), seconds))


async def _route(url: str, content: bytes, seconds: float) -> Rates:
    async with aiohttp.ClientSession(url) as session:

        async def caller(waiting: Sequence[int]) -> None:
            for _ in waiting:
                form = aiohttp.FormData()
                form.add_field("file", content, filename="recording.wav")
                async with session.post("/v1/audio/transcriptions", data=form) as heard:
                    heard.raise_for_status()
                    await heard.read()

        async def rate(clients: int) -> float:
            started = time.perf_counter()
            await asyncio.gather(*(caller(range(REQUESTS[clients] // clients)) for _ in range(clients)))
            return REQUESTS[clients] * seconds / (time.perf_counter() - started)

        await caller(range(1))
        return {clients: await rate(clients) for clients in REQUESTS}


if __name__ == "__main__":
    main()
