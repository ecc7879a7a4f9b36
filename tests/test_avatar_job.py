"""A training of an avatar as the cluster runs it, without the cluster."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.errors import Cancelled, EngineFailed, InvalidInput, ServiceError, Unavailable
from contracts.human import TRAIN, TrainTask
from contracts.jobs import Job
from contracts.settings import Settings
from store.artifacts import Artifacts
from store.database import Database
from store.runs import Run
from training.avatar.config import AvatarConfig
from training.avatar.synthetic import shoot, write_film
from training.avatar.synthetic.film import Scene
from training.avatar.train import LEARNT, PREVIEW
from training.launch import _of_avatar
from training.papers import Papers, Plan
from training.ray_avatar import trained
from training.ray_work import Line, outliving, publish

OUTPUT = "callers/me/models/SyncTalk/train_20260101_000000"
pytestmark = pytest.mark.timeout(300)


def asked(**fields: object) -> Job:
    task = TrainTask.model_validate({"model": "SyncTalk", "film": "me.mp4", "epochs": 100, "output": OUTPUT} | fields)
    return Job(id="job", kind=TRAIN, owner="me", params=task.model_dump())


def test_what_a_task_asks_is_planned() -> None:
    notes = {"consent": "我同意", "licence": "CC0-1.0"}
    plan = Plan(**_of_avatar(asked(epochs=50, parameters={"seed": 3} | notes), small=False), owner="me")
    again = Plan.model_validate_json(plan.model_dump_json())
    assert isinstance(again.config, AvatarConfig)
    assert (again.config.preset, again.config.steps, again.config.seed) == ("synctalk", 50_000, 3)
    assert (again.dataset, again.output, again.notes) == ("me.mp4", OUTPUT, notes)
    with pytest.raises(InvalidInput, match="er_nerf"):
        _of_avatar(asked(parameters={"preset": "er_nerf"}), small=True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "me.mp4"
    write_film(shoot(Scene(side=112, seconds=4.4)), path)
    return path


@pytest.fixture
def line(film: Path, tmp_path: Path) -> Line:
    """To a training of three steps."""
    settings = Settings(var=tmp_path / "var")
    Database(settings.tables_url).migrate()
    files = Artifacts(settings)
    files.upload("me.mp4", film.read_bytes(), "me")
    papers = Papers(Run(settings, "job"))
    parameters = {"steps": 3, "size": 96, "preview_steps": 2}
    papers.keep_plan(Plan(**_of_avatar(asked(parameters=parameters), small=True), owner="me"))
    papers.begin(1)
    return Line(papers, files, 1, leads=True)


def test_one_that_does_not_speak_is_no_avatar_and_what_it_learnt_is_kept(line: Line) -> None:
    with pytest.raises(EngineFailed, match="口型没有跟随声音"):
        trained(line.papers.run, line.files, line)
    kept = {name: line.files.read(f"{OUTPUT}/{name}") for name in (PREVIEW, LEARNT)}
    assert kept[PREVIEW][:2] == b"\xff\xd8" and len(kept[LEARNT]) > 10_000
    assert line.told.figures.total_steps == line.told.figures.current_step == 3
    assert "视频只有 4 秒，1 至 5 分钟的讲话效果更好" in line.told.figures.notes
    assert {"voice", "shuffled", "psnr"} <= line.told.figures.metrics.keys()
    assert any(name.startswith("checkpoint-") for name in line.papers.run.names())


def test_one_that_is_stopped_says_so(line: Line) -> None:
    line.cancelled = True
    told = trained(line.papers.run, line.files, line)
    assert (told.state, told.adapter) == ("stopped", "") and json.loads(told.model_dump_json())["failure"] is None


def test_a_store_that_is_away_loses_nothing_that_was_learnt(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.ray_work.FIRST_S", 0.01)
    answers = iter([Unavailable("away"), Unavailable("away"), None])

    def put() -> str:
        if problem := next(answers):
            raise problem
        return "kept"

    assert line.patiently(put) == "kept"
    answers = iter([Unavailable("away")])
    line.cancelled = True
    with pytest.raises(Unavailable):
        line.patiently(put)


@pytest.mark.parametrize(("problem", "superseded", "stays"), [
    (None, False, False),
    (EngineFailed("no avatar"), False, False),  # that is how it ended
    (RuntimeError("a fault"), False, True),  # Ray Train tries again
    (None, True, True),  # another attempt is at it
    (Cancelled("another attempt"), True, True),
])  # fmt: skip
def test_what_was_prepared_stays_for_who_goes_on(
    line: Line, tmp_path: Path, problem: Exception | None, superseded: bool, stays: bool
) -> None:
    line.superseded, folder = superseded, tmp_path / "prepared"
    folder.mkdir()
    with suppress(RuntimeError, ServiceError), outliving(folder, line):
        if problem:
            raise problem
    assert folder.exists() is stays


def test_what_another_attempt_publishes_is_not_written_over(line: Line, tmp_path: Path) -> None:
    learnt = tmp_path / "learnt"
    learnt.mkdir()
    (learnt / "weights").write_bytes(b"of the old attempt")
    line.superseded = True
    with pytest.raises(Cancelled):
        publish(line, learnt, OUTPUT, "me")
    line.superseded = False
    assert publish(line, learnt, OUTPUT, "me") == OUTPUT
    assert line.files.read(f"{OUTPUT}/weights") == b"of the old attempt"
