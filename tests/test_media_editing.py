"""Pictures from other pictures, and whose place a model takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from api.app import build
from api.models import Models
from api.state import Engines, State, make
from contracts.catalog import models
from contracts.settings import Settings
from jobs import engine
from store.database import Database
from tests.conftest import Cluster
from tests.media import picture
from tests.test_media_generation import ENDS_S, opened, refused, rotated, status
from tests.waiting import soon

FORM = {"prompt": "水彩画风格", "num_inference_steps": "3", "seed": "7"}
ROUTE = "/api/image-to-image"


@pytest.fixture
def artist(studio: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=studio.url, timeout=ENDS_S) as client:
        yield client


def changed(client: httpx.Client, content: bytes, **form: str) -> np.ndarray:
    """What a picture becomes: rows, columns, channels."""
    answer = client.post(f"{ROUTE}/generate", data=FORM | form, files={"image": ("a", content)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aigc-label"] == "1" and answer.json()["status"] == "completed"
    return np.asarray(opened(client, answer.json()["image_url"]), int)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_changed_as_people_see_it(artist: httpx.Client, orientation: int) -> None:
    kept = changed(artist, rotated(orientation), strength="0")
    assert kept.shape == (400, 304, 3)
    red, _, blue = (kept[:, :, channel].mean(axis=1) for channel in range(3))
    assert red[60] > 150 > 60 > blue[60] and blue[340] > 150 > 60 > red[340]


def test_what_is_asked_decides_what_comes(artist: httpx.Client) -> None:
    first, again = (changed(artist, picture(width=96, height=64)) for _ in range(2))
    assert (first == again).all()
    others: list[dict[str, str]] = [{"seed": "8"}, {"strength": "0.1"}, {"prompt": "油画"}]
    for other in others:
        assert (changed(artist, picture(width=96, height=64), **other) != first).any(), other


def test_fields_that_are_left_blank_are_as_good_as_none(artist: httpx.Client) -> None:
    blank = {"negative_prompt": "", "strength": "", "guidance_scale": "", "model_id": ""}
    small = picture(width=64, height=64)
    assert (changed(artist, small, **blank) == changed(artist, small)).all()


@pytest.mark.parametrize(
    ("size", "becomes"), [((1_500, 700), (1_024, 480)), ((30, 40), (64, 88)), ((25, 600), (64, 1_024))]
)
def test_its_size_stays_within_bounds(artist: httpx.Client, size: tuple[int, int], becomes: tuple[int, int]) -> None:
    assert changed(artist, picture("JPEG", *size), strength="0").shape == (*becomes[::-1], 3)


def test_who_does_not_wait_has_it_under_its_id(artist: httpx.Client) -> None:
    answer = artist.post(
        f"/media{ROUTE}/generate",
        data=FORM,
        files={"image": ("a.png", picture())},
        headers={"Prefer": "respond-async"},
    )
    begun = answer.json()
    assert answer.status_code == 202
    assert begun == {"task_id": begun["task_id"], "status": "processing", "image_url": None}
    ended = status(artist, f"{ROUTE}/status/{begun['task_id']}")
    assert ended["progress"] == 100 and opened(artist, ended["image_url"])


def test_a_text_is_drawn_by_the_model_that_is_named(artist: httpx.Client) -> None:
    drawn = {}
    for model in ("stable-diffusion-v1-5", "painter"):
        body = {"prompt": "fox", "width": 64, "height": 64, "seed": 1, "num_inference_steps": 2, "model_id": model}
        answer = artist.post("/api/text-to-image/generate", json=body)
        assert answer.status_code == 200 and "x-troupe-model" not in answer.headers
        drawn[model] = opened(
            artist, status(artist, f"/api/text-to-image/status/{answer.json()['task_id']}")["image_url"]
        ).tobytes()
    assert len(set(drawn.values())) == 2
    menu = {model["id"]: model["ready"] for model in artist.get("/api/text-to-image/models").json()}
    assert menu["stable-diffusion-v1-5"] and menu["painter"] and menu["stable-diffusion-xl"]


@asynccontextmanager
async def open_studio(var: Path, *served: str, **changes: Any) -> AsyncIterator[tuple[State, httpx.AsyncClient]]:
    """Somebody at the API, where models are replaced by others, without anybody who works."""
    settings, known = Settings(var=var, **{"min_free_gib": 0} | changes), models()
    Database(settings.tables_url).migrate()
    engine.migrate(settings)
    state = make(settings, Models([known[name] for name in served], known, fallback=True), Engines())
    transport = httpx.ASGITransport(build(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://troupe", timeout=60) as client:
        yield state, client
    for database in (state.database, state.artifacts._database):
        database.engine.dispose()
    state.jobs._client.destroy()


def change(client: httpx.AsyncClient, **form: str) -> Any:
    return client.post(f"{ROUTE}/generate", data=FORM | form, files={"image": ("a.png", picture())})


async def test_a_model_in_anothers_place_is_named(tmp_path: Path) -> None:
    """The jobs are done by hand: what counts is what their callers hear of them."""
    async with open_studio(tmp_path, "painter", "stable-diffusion-xl") as (state, client):
        for name, told in (("stable-diffusion-v1-5", "painter"), ("painter", None), ("", None)):
            answer = await client.post("/api/text-to-image/generate", json={"prompt": "fox", "model_id": name})
            assert answer.headers.get("x-troupe-model") == told
        for job in state.jobs.records.alive(2**62):
            state.jobs.records.fail(job, "no")
        for name, told in (("stable-diffusion-v1-5", "stable-diffusion-xl"), ("", None)):
            asked = asyncio.create_task(change(client, model_id=name))
            await soon(lambda: state.jobs.records.alive(2**62))
            (job,) = state.jobs.records.alive(2**62)
            assert state.jobs.records.start(job).params["model"] == "stable-diffusion-xl"
            state.jobs.records.complete(job, {"resources": [f"outputs/images/transformed_{job}.png"]})
            answer = await asked
            assert answer.json() == {
                "task_id": f"task_{job}",
                "status": "completed",
                "image_url": f"/outputs/images/transformed_{job}.png",
            }
            assert answer.headers.get("x-troupe-model") == told


async def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    async with open_studio(tmp_path, "painter", "stable-diffusion-xl") as (state, client):
        asked = asyncio.create_task(change(client))
        await soon(lambda: state.jobs.records.alive(2**62))
        (job,) = state.jobs.records.alive(2**62)
        state.jobs.records.fail(job, "显存不足。", "engine_failed")
        refused(await asked, 503, "显存不足")
        task = f"task_{job}"
        ended = {"task_id": task, "status": "failed", "image_url": None, "progress": 0, "message": "显存不足。"}
        assert (await client.get(f"/media{ROUTE}/status/{task}")).json() == ended


async def test_so_many_may_wait_at_once(tmp_path: Path) -> None:
    async with open_studio(tmp_path, "stable-diffusion-xl", sync_calls=1) as (state, client):
        waits = asyncio.create_task(change(client))
        await soon(lambda: state.jobs.records.alive(2**62))
        refused(await change(client), 429)
        (job,) = state.jobs.records.alive(2**62)
        state.jobs.records.fail(job, "no")
        await waits


async def test_what_is_refused_leaves_no_upload(tmp_path: Path) -> None:
    async with open_studio(tmp_path, "painter", "film") as (state, client):
        refused(await change(client), 503, "stable-diffusion-v1-5")
        state.database.engine.dispose()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jobs.jobs.check_room", _full)
            files = {"image": ("a.png", picture())}
            refused(await client.post("/api/image-to-video/generate", files=files), 503)
        assert not [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]


def _full(*_: Any) -> None:
    from contracts.errors import Unavailable

    raise Unavailable("磁盘空间不足，暂不接受新任务。", retry_after_s=60)
