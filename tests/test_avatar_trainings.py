"""Trainings of avatars as their callers see them: how far they are, what they have made, and for how long it stays."""

from api.human.training import PREVIEW
from api.paths import home
from contracts.human import TRAIN
from contracts.jobs import JobView
from jobs.holdings import look
from tests.avatars import keep
from tests.media import picture
from tests.trainings import Trainer, Workshop

pytest_plugins = ["tests.workshop"]
FIGURES = {"current_step": 30, "total_steps": 120, "loss": 0.5, "metrics": {"psnr": 24.5, "eta_s": 90.0}}


def asked(trainer: Trainer, second: int) -> dict[str, str]:
    task_id = f"train_20260101_0000{second:02}"
    return {"task_id": task_id, "output": f"{home(trainer.owner)}/models/SyncTalk/{task_id}"}


def status(trainer: Trainer, task_id: str) -> dict[str, object]:
    return trainer.http.get(f"/api/train-status/{task_id}").json()["data"]


def test_it_tells_how_far_it_is_and_how_long_it_will_take(trainer: Trainer) -> None:
    fields = asked(trainer, 1)
    job_id = trainer.running(TRAIN, **fields)
    records, task_id = trainer.state.jobs.records, fields["task_id"]
    told = status(trainer, task_id)
    assert (told["state"], told["eta_s"], told["path"], told["total_steps"]) == ("running", None, None, 0)
    records.report(job_id, 0.25, "正在训练第 30/120 步", FIGURES)
    told = status(trainer, task_id)
    assert (told["progress"], told["message"], told["eta_s"]) == (0.25, "正在训练第 30/120 步", 90.0)
    assert (told["current_step"], told["total_steps"], told["metrics"]) == (30, 120, FIGURES["metrics"])
    records.report(job_id, 0.5, "", {"current_step": 60, "total_steps": 120})
    left_s = status(trainer, task_id)["eta_s"]
    assert isinstance(left_s, float) and 0 <= left_s < 60


def test_it_shows_how_well_it_draws(trainer: Trainer, workshop: Workshop) -> None:
    fields = asked(trainer, 6)
    trainer.running(TRAIN, **fields)
    path = f"/api/train-status/{fields['task_id']}/preview"
    assert trainer.http.get(path).status_code == 404
    trainer.state.artifacts.upload(f"{fields['output']}/{PREVIEW}", picture("JPEG"), trainer.owner)
    answer = trainer.http.get(path)
    assert (answer.content, answer.headers["content-type"]) == (picture("JPEG"), "image/jpeg")
    assert workshop.trainer().http.get(path).status_code == 404


def test_what_it_was_refused_for_is_told(trainer: Trainer) -> None:
    fields = asked(trainer, 2)
    job_id = trainer.running(TRAIN, **fields)
    refusal = "视频不适合训练：没有找到人脸，请使用正面、光线充足、脸部没有遮挡的视频。"
    trainer.state.jobs.records.fail(job_id, refusal, "invalid_input")
    told = status(trainer, fields["task_id"])
    assert (told["state"], told["error"], told["eta_s"], told["path"]) == ("failed", refusal, None, None)


def test_its_avatar_is_listed_at_once_and_named_where_it_is_asked_for(trainer: Trainer) -> None:
    fields = asked(trainer, 3)
    job_id = trainer.running(TRAIN, **fields)
    keep(trainer.state.artifacts, fields["output"], trainer.owner)
    trainer.state.jobs.records.complete(job_id, {"figures": FIGURES})
    path = f"models/SyncTalk/{fields['task_id']}"
    assert status(trainer, fields["task_id"])["path"] == path
    assert trainer.http.get("/api/available-models").json()["models"][0]["path"] == path
    [record] = trainer.http.get("/api/history/model_training").json()["history"]
    assert record["result"] == {"model_param": path}


def test_a_training_is_kept_as_long_as_its_avatar(trainer: Trainer) -> None:
    fields = asked(trainer, 4)
    job_id = trainer.running(TRAIN, **fields)
    keep(trainer.state.artifacts, fields["output"], trainer.owner)
    trainer.state.jobs.records.complete(job_id, {"figures": FIGURES})
    subject = f"human/{fields['task_id']}"
    assert next(each for each in look(trainer.state.database)[0] if each.subject == subject).ended_ms is None
    assert trainer.http.delete(f"/api/model-details/SyncTalk/{fields['task_id']}").status_code == 200
    assert next(each for each in look(trainer.state.database)[0] if each.subject == subject).ended_ms is not None


def test_it_is_stopped_by_its_documented_name(trainer: Trainer) -> None:
    fields = asked(trainer, 5)
    job_id = trainer.running(TRAIN, **fields)
    assert trainer.http.post(f"/api/training/stop/{fields['task_id']}").json()["status"] == "failed"
    view: JobView = trainer.state.jobs.records.get(job_id, trainer.owner)
    assert view.state == "cancelled" and status(trainer, fields["task_id"])["state"] == "failed"
