"""What Prometheus reads is counted once a call, whatever its end; and the board shows nothing that nobody counts."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from contracts.artifacts import Artifact
from contracts.avatar import Frames
from contracts.chat import ChatDelta, Usage
from contracts.errors import Overloaded
from contracts.jobs import Job, Pipeline
from contracts.model import Progress
from contracts.settings import ROOT, Settings
from contracts.speech import AudioChunk
from contracts.video import FilmRequest, Shot
from deployments import metrics
from jobs import watching
from jobs.records import Records
from store.database import Database
from tests.waiting import soon

FILM = FilmRequest(shots=[Shot(picture="p", duration_s=2.5), Shot(picture="q", duration_s=1.5)], fps=25)
KEPT = Artifact(key="a", media_type="image/png", size_bytes=1, sha256="")
UNITS: dict[str, tuple[object, tuple[Any, ...], tuple[str, float]]] = {
    "a piece of text": (ChatDelta(text="你"), (), ("tokens", 0)),
    "the end of a text": (
        ChatDelta(text="", finish="stop", usage=Usage(prompt_tokens=9, completion_tokens=7)),
        (),
        ("tokens", 7),
    ),
    "a text that is not counted": (ChatDelta(text="", finish="stop"), (), ("tokens", 0)),
    "sound": (AudioChunk(pcm=bytes(44_100), sample_rate=22_050), (), ("audio_seconds", 1.0)),
    "a picture": (KEPT, ("a prompt",), ("pictures", 1)),
    "a film of pictures": (KEPT, (FILM, "key"), ("frames", 100)),
    "a film": (KEPT.model_copy(update={"media_type": "video/mp4"}), ("a request",), ("films", 1)),
    "an avatar": (Frames(jpegs=[b"", b""]), (), ("frames", 2)),
    "a step": (Progress(fraction=0.5), (), ("answers", 0)),
    "an answer": ([], (), ("answers", 1)),
}


@pytest.mark.parametrize("name", UNITS)
def test_what_is_given_is_measured(name: str) -> None:
    item, args, wanted = UNITS[name]
    assert metrics.measure(item, args) == wanted


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, str]]]]:
    """What is recorded: name and tags."""
    found: list[tuple[str, dict[str, str]]] = []
    for metric, verb in ((metrics.FIRST, "observe"), (metrics.CALLS, "observe"), (metrics.GIVEN, "inc")):
        monkeypatch.setattr(metric, verb, lambda value, tags, name=metric._name: found.append((name, tags)))
    return found


def left() -> None:
    raise asyncio.CancelledError


def refused() -> None:
    raise Overloaded("busy")


@pytest.mark.parametrize(
    ("ends", "outcome", "error"),
    [
        (lambda: None, "ok", None),
        (refused, "overloaded", Overloaded),
        (left, "left", asyncio.CancelledError),
        (lambda: 1 / 0, "fault", ZeroDivisionError),
    ],
)
def test_a_call_is_counted_however_it_ends(
    told: list[tuple[str, dict[str, str]]], ends: Callable[[], object], outcome: str, error: type[BaseException] | None
) -> None:
    with pytest.raises(error) if error else nullcontext(), metrics.counted("painter", "generate", "a prompt") as call:
        call.gave(Progress(fraction=0.5))
        call.gave(KEPT)
        ends()
    tags = {"model": "painter", "verb": "generate"}
    assert told == [
        ("troupe_first_item_seconds", tags),
        ("troupe_given", {"model": "painter", "unit": "pictures"}),
        ("troupe_call_seconds", tags | {"outcome": outcome}),
    ]


@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "ok"), (Overloaded("busy"), "overloaded"), (asyncio.CancelledError(), "left")]
)
async def test_a_job_is_counted_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, error: BaseException | None, outcome: str
) -> None:
    found: list[dict[str, str]] = []
    monkeypatch.setattr(watching.RAN, "observe", lambda value, tags: found.append(tags))

    async def run(job: Job, steps: Any) -> dict[str, Any]:
        if error:
            raise error
        return {"made": job.id}

    counted = watching.watched({"k": Pipeline(run)})["k"].run
    job = Job(id="j", kind="k", owner="anna", params={})
    with pytest.raises(type(error)) if error else nullcontext():
        assert await counted(job, cast(Any, None)) == {"made": "j"}
    assert found == [{"kind": "k", "outcome": outcome}]


async def test_a_queue_that_is_empty_again_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(Settings(var=tmp_path).tables_url)
    database.migrate()
    records, told = Records(database), dict[tuple[str, ...], float]()
    for metric in (watching.JOBS, watching.OLDEST):
        monkeypatch.setattr(metric, "set", lambda value, tags: told.update({tuple(tags.values()): value}))
    monkeypatch.setattr(watching, "EVERY_S", 0.02)
    records.create(Job(id="j", kind="k", owner="anna", params={}), "s")
    telling = asyncio.create_task(watching.tell_forever(database))
    await soon(lambda: told.get(("k", "queued")) == 1 and told.get(("k", "running")) == 0)
    records.start("j")
    await soon(lambda: told[("k", "queued")] == 0 and told[("k", "running")] == 1)
    records.complete("j", {})
    await soon(lambda: told[("k", "running")] == 0 and told[("k",)] == 0)
    telling.cancel()
    await asyncio.wait([telling])
    database.engine.dispose()


def board() -> list[str]:
    """The names in the expressions of the Grafana board."""
    panels = json.loads((ROOT / "deploy/grafana/troupe.json").read_text(encoding="utf-8"))["panels"]
    return [name for each in panels for target in each["targets"] for name in re.findall(r"ray_\w+", target["expr"])]


def names_of(name: str) -> set[str]:
    """What a metric may be called where it is counted: Prometheus adds to it."""
    plain = name.removeprefix("ray_")
    return {plain} | {plain.removesuffix(end) for end in ("_bucket", "_sum", "_count", "_total")}


def _text(file: Path) -> str:
    """With the names that Serve makes for each protocol."""
    return re.sub(r"{[a-z_.()]+}", "http", file.read_text(encoding="utf-8"))


def test_the_board_shows_what_is_counted() -> None:
    import ray

    folder = Path(ray.__file__).parent
    rays = [*(folder / "serve").rglob("*.py"), folder / "dashboard/modules/reporter/reporter_agent.py"]
    known = {name for file in rays for name in re.findall(r'"(\w+)"', _text(file))}
    ours = {each._name for module in (metrics, watching) for each in vars(module).values() if hasattr(each, "_name")}
    shown = board()
    assert {name for name in shown if not names_of(name) & (known | ours)} == set()
    assert {name for name in ours if not any(name in names_of(each) for each in shown)} == set()
