"""What calls to models take and give, as Prometheus reads it from every node; deploy/grafana shows it.

How long calls wait for a replica and how long it works at them, Serve counts itself (`ray_serve_…`). Here is what the
caller sees, by model and verb.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.util.metrics import Counter, Histogram

from contracts.artifacts import Artifact
from contracts.avatar import Frames
from contracts.chat import ChatDelta
from contracts.errors import ServiceError
from contracts.model import Progress
from contracts.speech import AudioChunk
from contracts.video import FilmRequest

STEPS_S = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000]
FIRST = Histogram(
    "troupe_first_item_seconds",
    "From a call to its first item: the first token, the first sound, the first progress.",
    boundaries=STEPS_S,
    tag_keys=("model", "verb"),
)
CALLS = Histogram(
    "troupe_call_seconds",
    "From a call to its end; outcome: ok, left, fault or the code of a refusal.",
    boundaries=STEPS_S,
    tag_keys=("model", "verb", "outcome"),
)
GIVEN = Counter(
    "troupe_given",
    "What models gave: tokens, audio_seconds, frames, films, pictures, answers.",
    tag_keys=("model", "unit"),
)
EVICTIONS = Counter(
    "troupe_evictions",
    "What a replica let go of for want of room: adapters, avatars, models that share it.",
    tag_keys=("model",),
)


class Call:
    """One call of a model, from now on."""

    def __init__(self, model: str, verb: str, *args: Any) -> None:
        self.model, self.verb, self.args = model, verb, args
        self.began_s, self.has_begun = time.perf_counter(), False

    def gave(self, item: Any) -> None:
        if not self.has_begun:
            self.has_begun = True
            FIRST.observe(self._seconds(), {"model": self.model, "verb": self.verb})
        unit, amount = measure(item, self.args)
        if amount:
            GIVEN.inc(amount, {"model": self.model, "unit": unit})

    def ended(self, outcome: str) -> None:
        CALLS.observe(self._seconds(), {"model": self.model, "verb": self.verb, "outcome": outcome})

    def _seconds(self) -> float:
        return time.perf_counter() - self.began_s


@contextmanager
def counted(model: str, verb: str, *args: Any) -> Iterator[Call]:
    """Count a call, however it ends."""
    call, outcome = Call(model, verb, *args), "fault"
    try:
        yield call
        outcome = "ok"
    except ServiceError as error:
        outcome = error.code
        raise
    except (GeneratorExit, asyncio.CancelledError):
        outcome = "left"
        raise
    finally:
        call.ended(outcome)


def measure(item: Any, args: tuple[Any, ...]) -> tuple[str, float]:
    """What an item is and how much of it; of tokens, what the engine says in the end."""
    match item:
        case ChatDelta():
            return "tokens", item.usage.completion_tokens if item.usage else 0
        case AudioChunk():
            return "audio_seconds", len(item.pcm) / 2 / item.sample_rate
        case Frames():
            return "frames", len(item.jpegs)
        case Artifact() if args and isinstance(args[0], FilmRequest):
            return "frames", round(sum(shot.duration_s for shot in args[0].shots) * args[0].fps)
        case Artifact():
            return "films" if item.media_type.startswith("video/") else "pictures", 1
        case Progress():
            return "answers", 0
    return "answers", 1
