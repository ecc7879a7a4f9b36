"""A job of a cluster, seen in the databases and on the disk: whatever answers HTTP may be away."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

from dbos import DBOSClient
from PIL import Image
from sqlalchemy import select

from contracts.image import ImageRequest
from contracts.jobs import Job
from contracts.settings import Settings
from contracts.story import Script
from contracts.tasks import folder_of, scratch_of
from deployments.registry import build
from graphs.story import HEIGHT, SCRIPT, WIDTH, picture_prompt, seed_of
from jobs import engine
from store.database import Database
from store.tables import ArtifactRow, JobRow
from tests.conftest import Cluster

Stamp = tuple[int, int]  # of a file: another one when it was written again


@dataclass(frozen=True)
class Watched:
    cluster: Cluster
    task_id: int
    job: str

    @cached_property
    def _settings(self) -> Settings:
        return Settings(var=self.cluster.var)

    @cached_property
    def _database(self) -> Database:
        return Database(self._settings.tables_url)

    @cached_property
    def _workflows(self) -> DBOSClient:
        return engine.client(self._settings)

    def close(self) -> None:
        self._workflows.destroy()
        self._database.engine.dispose()

    @property
    def row(self) -> JobRow:
        with self._database.session() as session:
            return session.get_one(JobRow, self.job)

    @property
    def images(self) -> Path:
        return self._path(f"{folder_of(self.task_id)}/image")

    def delivered(self) -> set[str]:
        """The pages that people can have."""
        return {path.name for path in self.images.glob("*.png")}

    def finished(self) -> dict[str, Stamp]:
        """The files of the pages that the job has written down as done."""
        done = self._workflows.list_workflows(parent_workflow_id=self.job, status="SUCCESS")
        numbers = [int(part.workflow_id.rpartition("-")[2]) for part in done]
        stats = {key: self._path(key).stat() for number in numbers for key in self._keys(number)}
        return {key: (stat.st_ino, stat.st_mtime_ns) for key, stat in stats.items()}

    def check_pages(self, pages: int, finished: dict[str, Stamp]) -> None:
        """All are there, each as the painter draws it; those that were finished were not touched again."""
        kept, now = self._times_kept(), self.finished()
        assert len(now) == 2 * pages
        assert finished == {key: now[key] for key in finished}
        assert [kept[key] for key in finished] == [1] * len(finished)
        wanted = [self._keys(page) for page in range(1, pages + 1)]
        result = self.row.result
        assert list(zip(result["pictures"], result["resources"], strict=True)) == [tuple(keys) for keys in wanted]
        self._check_pictures()

    def _times_kept(self) -> Counter[str]:
        """How often something was kept under each key."""
        with self._database.session() as session:
            return Counter(session.scalars(select(ArtifactRow.key).where(ArtifactRow.job_id == self.job)))

    def _keys(self, page: int) -> list[str]:
        """The picture as it was drawn, and its marked copy."""
        folders = (scratch_of(self.task_id, self.job), f"{folder_of(self.task_id)}/image")
        return [f"{folder}/p{page}.png" for folder in folders]

    def _path(self, key: str) -> Path:
        return self.cluster.var / "artifacts" / key

    def _check_pictures(self) -> None:
        content = json.loads(self._path(f"{folder_of(self.task_id)}/{SCRIPT}").read_text())
        script = Script.model_validate({name: content[name] for name in Script.model_fields})
        seed = seed_of(Job(id=self.job, kind="", owner="", params={}))
        for number, page in enumerate(script.pages, 1):
            prompt = picture_prompt(page.picture, script.hero)
            assert pixels(self._path(self._keys(number)[0]).read_bytes()) == pixels(drawn(prompt, seed + number)), (
                number
            )


def drawn(prompt: str, seed: int) -> bytes:
    """What the painter makes of it."""
    painter = build("image", "painter", {})
    painter.load()
    *_, picture = painter.generate(ImageRequest(prompt=prompt, width=WIDTH, height=HEIGHT, seed=seed))
    painter.close()
    return picture.png


def pixels(png: bytes) -> bytes:
    with Image.open(BytesIO(png)) as picture:
        return picture.convert("RGB").tobytes()
