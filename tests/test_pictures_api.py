"""Pictures by OpenAI's API, as its official client and others ask; what a job made, and the same once more."""

import asyncio
import base64
import io
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.app import build
from api.models import Models
from api.state import Engines, State, make
from contracts.catalog import models
from contracts.jobs import Job
from contracts.platform import IMAGE, VIDEO
from contracts.settings import Settings
from deployments.image.painter import Painter
from deployments.video.film import Film
from graphs.drawing import Draughtsman
from graphs.videogen import Videomaker
from jobs import engine
from store.database import Database
from store.tables import ArtifactRow, JobRow
from tests.media import picture
from tests.performing import NearImage, NearVideo
from tests.test_media_generation import made, status
from tests.test_videogen import Branching

GENERATIONS = "/v1/images/generations"
BODY = {"prompt": "海边美丽的日落", "size": "320x200", "seed": 42}
SERVED = ("scripted", "painter", "film")


class Worker(threading.Thread):
    """Runs queued jobs one after another, beside the test."""

    def __init__(self, state: State, image: NearImage) -> None:
        super().__init__()
        video: Any = NearVideo("film", Film(preset="ultrafast"), state.artifacts)
        self.maker = Videomaker(image, {"film": video}, state.artifacts, "AI生成")
        self.draughtsman = Draughtsman({"painter": image}, state.artifacts)
        self.state, self.over = state, threading.Event()

    def run(self) -> None:
        records = self.state.jobs.records
        while not self.over.wait(0.02):
            with records.database.session() as session:
                queued = session.scalars(
                    select(JobRow.id).where(JobRow.state == "queued", JobRow.kind.in_((IMAGE, VIDEO)))
                ).all()
            for job in filter(None, map(records.start, queued)):
                records.complete(job.id, asyncio.run(self._made(job)))

    async def _made(self, job: Job) -> dict[str, Any]:
        pipeline = {IMAGE: self.draughtsman.draw, VIDEO: self.maker.film}[job.kind]
        return await pipeline(job, Branching(self.maker, job))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    settings, known = Settings(var=tmp_path_factory.mktemp("var")), models()
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    painter = Painter()
    painter.load()
    images: dict[str, Any] = {}
    state = make(settings, Models([known[name] for name in SERVED], known, False), Engines(images=images))
    images["painter"] = image = NearImage("painter", painter, state.artifacts)
    worker = Worker(state, image)
    worker.start()
    yield state
    worker.over.set()
    worker.join()
    state.database.engine.dispose()


@pytest.fixture(scope="module")
def client(state: State) -> Iterator[TestClient]:
    with TestClient(build(state)) as client:
        yield client


@pytest.fixture
def ai(client: TestClient) -> openai.OpenAI:
    return openai.OpenAI(base_url="http://testserver/v1", api_key="sk-nothing", max_retries=0, http_client=client)


def opened(content: bytes) -> Image.Image:
    assert b"AIGC" in content and content.startswith(b"\x89PNG")
    return Image.open(io.BytesIO(content)).convert("RGB")


def in_store(state: State) -> int:
    with state.database.session() as session:
        return session.scalar(select(func.count()).select_from(ArtifactRow)) or 0


def test_the_official_client_draws(ai: openai.OpenAI, state: State) -> None:
    before = in_store(state)
    answer = ai.images.generate(model="painter", prompt="a fox by a lake", n=3, size="256x256", quality="auto")
    pictures = [opened(base64.b64decode(str(each.b64_json))) for each in answer.data or []]
    assert [each.size for each in pictures] == [(256, 256)] * 3
    assert len({each.tobytes() for each in pictures}) == 3 and answer.created > 1_700_000_000
    assert in_store(state) == before
    assert "painter" in {model.id for model in ai.models.list()}


def test_the_same_seed_draws_the_same_picture(client: TestClient) -> None:
    """Two of a call have seeds that follow on one another."""

    def drawn(**change: Any) -> list[str]:
        answer = client.post(GENERATIONS, json=BODY | change)
        assert answer.status_code == 200 and answer.headers["x-aigc-label"] == "1", answer.text
        return [opened(base64.b64decode(each["b64_json"])).tobytes().hex() for each in answer.json()["data"]]

    first, second = drawn(n=2)
    assert drawn() == [first] != [second] == drawn(seed=43)
    assert drawn(size="auto", num_inference_steps=3, guidance_scale=2, negative_prompt="dull")[0] != first


def test_a_url_is_of_a_job(client: TestClient) -> None:
    answer = client.post(GENERATIONS, json=BODY | {"n": 2, "response_format": "url"})
    urls = [each["url"] for each in answer.json()["data"]]
    assert [opened(client.get(url).content).size for url in urls] == [(320, 200)] * 2
    jobs = client.get("/v1/jobs").json()["data"]
    assert [(job["kind"], job["state"]) for job in jobs] == [("media.image", "completed")] * 2
    assert all(any(job["id"] in url for job in jobs) for url in urls)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"prompt": None}, 400, "prompt"),
        ({"prompt": ""}, 400, "prompt"),
        ({"prompt": "……"}, 400, "prompt"),
        ({"prompt": "a\0"}, 400, "prompt"),
        ({"prompt": "长" * 8_001}, 400, "prompt"),
        ({"n": 0}, 400, "n"),
        ({"n": 11}, 400, "n"),
        ({"size": "320"}, 400, "size"),
        ({"size": "321x200"}, 400, "size"),
        ({"size": "56x200"}, 400, "size"),
        ({"size": "9999x200"}, 400, "size"),
        ({"size": "-8x200"}, 400, "size"),
        ({"response_format": "png"}, 400, "response_format"),
        ({"output_format": "webp"}, 400, "output_format"),
        ({"style": "vivid"}, 400, "style"),
        ({"quality": "hd"}, 400, "quality"),
        ({"stream": True}, 400, "stream"),
        ({"colour": "red"}, 400, "colour"),
        ({"seed": -1}, 400, "seed"),
        ({"scheduler": "magic"}, 400, "scheduler"),
        ({"lora": "ink"}, 400, "lora"),
        ({"num_inference_steps": 201}, 400, "num_inference_steps"),
        ({"guidance_scale": 51}, 400, "guidance_scale"),
        ({"model": "dall-e-3"}, 404, "model"),
        ({"model": "film"}, 404, "model"),
        ({"model": "stable-diffusion-xl"}, 503, None),
    ],
)
def test_bad_input_is_refused_in_openais_words(
    client: TestClient, change: dict[str, Any], code: int, param: str | None
) -> None:
    asked = {name: value for name, value in (BODY | change).items() if value is not None}
    answer = client.post(GENERATIONS, json=asked)
    assert (answer.status_code, answer.json()["error"]["param"] if param else None) == (code, param), answer.text


def test_what_was_made_is_told_and_made_again(client: TestClient, state: State) -> None:
    asked = {"prompt": "a fox by a lake", "width": 128, "height": 96, "seed": 5, "negative_prompt": "dull"}
    first = made(client, "text-to-image", json=asked)
    job = first["task_id"].removeprefix("task_")
    again = client.post(f"/v1/jobs/{job}/again")
    assert again.status_code == 202 and again.json()["state"] in ("queued", "running") and again.json()["id"] != job
    second = status(client, f"/api/text-to-image/status/task_{again.json()['id']}")
    one, other = (client.get(each["image_url"]).content for each in (first, second))
    assert one != other and opened(one).tobytes() == opened(other).tobytes()
    manifests = [client.get(f"/v1/jobs/{each}/manifest").json()["data"] for each in (job, again.json()["id"])]
    assert [[each["key"] for each in manifest] for manifest in manifests] == [
        [each["image_url"][1:]] for each in (first, second)
    ]
    [[told], [retold]] = manifests
    assert told["parameters"] == retold["parameters"] and told["model"] == "painter"
    assert told["parameters"] | {"seed": 5, "width": 128, "negative_prompt": "dull"} == told["parameters"]
    stranger = TestClient(build(state), client=("192.0.2.1", 1))
    for answer in (stranger.post(f"/v1/jobs/{job}/again"), stranger.get(f"/v1/jobs/{job}/manifest")):
        assert answer.status_code == 404 and answer.json().keys() == {"detail"}


def test_a_film_is_made_again(client: TestClient) -> None:
    first = made(client, "text-to-video", json={"prompt": "fox", "num_frames": 4, "fps": 4})
    again = client.post(f"/v1/jobs/{first['task_id'].removeprefix('task_')}/again").json()
    second = status(client, f"/api/text-to-video/status/task_{again['id']}")
    seeds = [
        client.get(f"/v1/jobs/{each['task_id'].removeprefix('task_')}/manifest").json()["data"][0]["parameters"]["seed"]
        for each in (first, second)
    ]
    assert second["status"] == "completed" and seeds[0] == seeds[1]


def test_what_cannot_be_made_again(client: TestClient, state: State) -> None:
    """What was uploaded is gone; a story is executed again by its own route."""
    film = made(client, "image-to-video", files={"image": ("a.png", picture())}, data={"num_frames": "2"})
    answer = client.post(f"/v1/jobs/{film['task_id'].removeprefix('task_')}/again")
    assert answer.status_code == 409 and "上传" in answer.json()["detail"]
    with state.database.session() as session:
        owner = session.scalars(select(JobRow.owner)).first()
    state.jobs.records.create(Job(id="1" * 32, kind="story.write", owner=str(owner), params={}), "story/1")
    state.jobs.records.cancel("1" * 32)
    assert client.post(f"/v1/jobs/{'1' * 32}/again").status_code == 409
    assert client.post("/v1/jobs/x/again").status_code == 404
