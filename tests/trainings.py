"""An API of its own, and trainings of its callers in the words that recipes will use: `jobs.records`."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.paths import home
from api.state import State
from contracts.human import TRAIN, TrainTask
from contracts.jobs import Job
from contracts.platform import CLASSIFIER, LORA, FinetuneTask, TrainingTask
from jobs.jobs import new_id
from tests.media import picture
from tests.wording import in_chinese

START = {
    "model_type": "image_classifier",
    "base_model": "resnet50",
    "dataset_path": "/datasets/my_dataset",
    "output_dir": "/models/trained",
    "epochs": 10,
    "batch_size": 8,
    "learning_rate": 0.0001,
    "save_steps": 500,
}
LORA_START = {
    "base_model": "llama-2-7b",
    "dataset_path": "/datasets/instruction_data.jsonl",
    "output_dir": "/models/lora_adapter",
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 0.0002,
    "max_length": 512,
    "gradient_accumulation_steps": 4,
}
FIGURES = {
    "current_epoch": 5,
    "total_epochs": 10,
    "current_step": 450,
    "total_steps": 1000,
    "loss": 0.0234,
    "learning_rate": 0.00008,
    "metrics": {"accuracy": 0.92, "f1_score": 0.89},
}


@dataclass
class Trainer:
    """A caller with a key."""

    http: TestClient
    state: State
    key: str
    owner: str

    def queued(self, kind: str = CLASSIFIER, **fields: Any) -> str:
        """A training that waits; its job's id."""
        asked = {"dataset": "datasets/x.jsonl", "output": "callers/x/models/y", "batch_size": 8, "learning_rate": 0.1}
        if kind == TRAIN:
            task: Any = TrainTask(model="SyncTalk", film="a.mp4", epochs=10, **fields)
        else:
            made = TrainingTask if kind == CLASSIFIER else FinetuneTask
            task = made.model_validate(asked | {"base_model": "resnet50", "epochs": 10} | fields)
        job = Job(id=new_id(), kind=kind, owner=self.owner, params=task.model_dump())
        subject = f"human/{task.task_id}" if kind == TRAIN else f"training/{job.id}"
        self.state.jobs.records.create(job, subject)
        return job.id

    def running(self, kind: str = CLASSIFIER, **fields: Any) -> str:
        job_id = self.queued(kind, **fields)
        assert self.state.jobs.records.start(job_id)
        return job_id

    def completed(self, kind: str = CLASSIFIER, **fields: Any) -> str:
        job_id = self.running(kind, **fields)
        assert self.state.jobs.records.complete(job_id, {"figures": FIGURES})
        return job_id

    def taught(self, **fields: Any) -> str:
        """A completed training of a language model, whose adapter is there."""
        manifest = {"base_revision": "r", "dataset_sha256": "d", "samples": 2, "config": {"lora_r": 8, "base": "/x"}}
        return self._ended(LORA, fields.pop("name", "voice"), manifest, base_model="llama-2-7b", **fields)

    def taught_classifier(self) -> str:
        """The same of a classifier."""
        return self._ended(CLASSIFIER, "pets", {"labels": ["狗", "猫"], "samples": 4})

    def _ended(self, kind: str, name: str, manifest: dict[str, Any], **fields: Any) -> str:
        output = f"{home(self.owner)}/models/{name}"
        job_id = self.running(kind, output=output, **fields)
        self.state.artifacts.upload(f"{output}/{job_id}/manifest.json", json.dumps(manifest).encode(), self.owner)
        assert self.state.jobs.records.complete(job_id, {"figures": FIGURES, "manifest": manifest})
        return job_id


@dataclass
class Workshop:
    state: State
    app: FastAPI

    def visitor(self, address: str = "10.0.0.1") -> TestClient:
        """A browser of its own."""
        return TestClient(self.app, client=(address, 50_000))

    def trainer(self) -> Trainer:
        row, key = self.state.keys.create("trainer", "user")
        http = self.visitor()
        http.headers["Authorization"] = f"Bearer {key}"
        return Trainer(http, self.state, key, f"key:{row.id}")


ASKED = ("介绍这款耳机", "你好")
ROWS = "".join(f'{{"instruction": "{asked}", "output": "家人们，看过来！"}}\n' for asked in ASKED).encode()


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PICTURES = packed(
    **{"猫/1.png": picture(), "猫/2.png": picture(width=50), "狗/1.jpg": picture("JPEG"), "狗/2.webp": picture("WEBP")}
)


def bring(trainer: Trainer, file: str, content: bytes, **form: str) -> httpx.Response:
    return trainer.http.post("/api/datasets", files={"file": (file, content)}, data=form)


def refused(answer: httpx.Response, named: str, status: int = 422) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"detail"}
    assert named in answer.json()["detail"] and in_chinese(answer.json()["detail"])
