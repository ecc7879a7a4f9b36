"""Short films as their jobs make them, by models that film by themselves; as their replicas run, without a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from contracts.catalog import ModelSpec, models
from contracts.jobs import Job
from contracts.platform import VIDEO
from contracts.settings import Settings
from deployments.image.painter import Painter
from graphs.videogen import Videomaker
from jobs.records import Records
from store.artifacts import Artifacts
from store.database import Database
from store.tables import ArtifactRow
from tests import runway_service
from tests.checkpoints.footage import ltx
from tests.performing import Called, NearImage
from tests.test_footage import pytestmark, shown  # noqa: F401

ASKED = {
    "prompt": "一只猫在花园里散步",
    "width": 320,
    "height": 180,
    "fps": 10,
    "duration_s": 1.5,
    "steps": 2,
    "seed": 9,
}


class Branching(Called):
    """Steps whose parts run one after another."""

    def __init__(self, maker: Videomaker, job: Job) -> None:
        super().__init__()
        self.maker, self.job = maker, job

    async def each(self, items: Sequence[Mapping[str, Any]], until: float = 1.0) -> list[dict[str, Any]]:
        return [await self.maker.draw_shot(self.job, item, self) for item in items]


class Studio:
    def __init__(self, var: Path) -> None:
        settings = Settings(var=var)
        self.var, self.database, self.files = var, Database(settings.tables_url), Artifacts(settings)
        self.database.migrate()
        painter = Painter()
        painter.load()
        self.image = NearImage("painter", painter, self.files)

    async def film(self, spec: ModelSpec, number: int = 0, **change: Any) -> tuple[Path, ArtifactRow, Branching]:
        from deployments.video.deployment import VideoDeployment

        replica = VideoDeployment.func_or_class(spec, self.files)
        video: Any = SimpleNamespace(model=spec.id, footage=spec.footage, generate=replica.generate)
        maker = Videomaker(self.image, {spec.id: video}, self.files, "AI生成")
        job = Job(id=f"{number:032x}", kind=VIDEO, owner="anon-ann", params={"model": spec.id} | ASKED | change)
        Records(self.database).create(job, f"media/{job.id}")
        Records(self.database).start(job.id)
        steps = Branching(maker, job)
        [key] = (await maker.film(job, steps))["resources"]
        with self.database.session() as session:
            row = session.scalars(select(ArtifactRow).where(ArtifactRow.key == key)).one()
        return self.var / "artifacts" / key, row, steps

    def left(self) -> list[str]:
        """Of what the store holds, other than films."""
        files = (path for path in (self.var / "artifacts").rglob("*") if path.is_file())
        return [path.name for path in files if path.suffix != ".mp4"]

    def close(self) -> None:
        self.database.engine.dispose()
        self.files._database.engine.dispose()


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Studio]:
    films = Studio(tmp_path / "var")
    yield films
    films.close()


@pytest.fixture
def runway(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelSpec]:
    monkeypatch.setenv("RUNWAYML_API_SECRET", runway_service.SECRET)
    with runway_service.serving() as url:
        known = models()["gen4_turbo"]
        yield known.model_copy(update={"options": known.options | {"base_url": url, "poll_s": 0.01}})


@pytest.fixture
def small_ltx(tmp_path: Path) -> ModelSpec:
    ltx(tmp_path / "ltx")
    known = models()["ltx-video"]
    return known.model_copy(update={"options": known.options | {"weights": str(tmp_path / "ltx"), "fps": 8}})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_gen4_turbo_begins_with_a_picture_of_the_text(films: Studio, runway: ModelSpec) -> None:
    film, row, steps = await films.film(runway)
    assert steps.names == ["draw", "render", "tidy"] and steps.reports == sorted(steps.reports)
    [task] = runway_service.Service.asked
    assert (task["promptText"], task["ratio"], task["duration"], task["seed"]) == (ASKED["prompt"], "1280:720", 2, 9)
    frames, rate = shown(film)
    assert (frames.shape, rate) == ((15, 180, 320, 3), 10)
    assert (row.model, row.prompt, row.parameters["seed"]) == ("gen4_turbo", ASKED["prompt"], 9)
    assert b"AIGC" in film.read_bytes() and not films.left()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_the_same_task_gives_the_same_film(films: Studio, small_ltx: ModelSpec) -> None:
    """And tells what it was asked, and of which weights."""
    (one, row, steps), (other, _, _), (third, _, _) = [
        await films.film(small_ltx, number, **change) for number, change in enumerate(({}, {}, {"seed": 10}))
    ]
    assert steps.names == ["render", "tidy"]
    assert (shown(one)[0] == shown(other)[0]).all()  # of 8 frames a second, 10 are made: some repeat
    assert np.abs(shown(one)[0].astype(int) - shown(third)[0]).mean() > 0.2
    told = {name: row.parameters[name] for name in ("seed", "steps", "width", "height", "fps", "duration_s")}
    assert told == {name: ASKED[name] for name in told}
    assert row.parameters["revision"].startswith("sha256:") and row.model == "ltx-video"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_an_upload_begins_the_film_and_is_not_kept(films: Studio, small_ltx: ModelSpec) -> None:
    from tests.media import picture

    films.files.upload("uploads/a.png", picture(), "anon-ann")
    film, _, steps = await films.film(small_ltx, prompt="", picture="uploads/a.png")
    assert steps.names == ["render", "tidy", "tidy"] and len(shown(film)[0]) == 15
    assert not films.left()
