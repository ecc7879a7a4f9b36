"""Language models that a caller has taught: adapters by name, `base:adapter`, each with its versions."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select

from api.callers import Caller
from api.media.trainings import task_id_of
from api.paths import home
from api.state import State
from contracts.errors import NotFound, Unavailable
from contracts.platform import LORA, ONE_CLICK, TRAINED
from store.listing import newest_under
from store.tables import ArtifactRow, JobRow

MANIFEST, CHOSEN = "manifest.json", "version.json"  # the second: which version answers, where it is not the newest


@dataclass(frozen=True)
class Adapter:
    """`version`: the job that has trained it; `folder`: key of all versions' folder, `key`: of this one's."""

    name: str
    base: str
    version: str
    folder: str
    created_ms: int
    metrics: dict[str, float]
    task_id: str

    @property
    def id(self) -> str:
        return f"{self.base}:{self.name}"

    @property
    def key(self) -> str:
        return f"{self.folder}/{self.version}"


def versions(state: State, caller: Caller) -> list[Adapter]:
    """All that have come to their end and are still there, newest first."""
    rows = newest_under(state.database, [f"{home(owner)}/{TRAINED}" for owner in caller.owners])
    kept = {_version_of(row): row for row in rows if PurePosixPath(row.key).name == MANIFEST}
    trained = select(JobRow).where(JobRow.id.in_(kept), JobRow.kind.in_((LORA, ONE_CLICK)), JobRow.state == "completed")
    with state.database.session() as session:
        jobs = session.scalars(trained.order_by(JobRow.created_ms.desc())).all()
    return [_adapter(job) for job in jobs]


def answering(state: State, caller: Caller) -> dict[str, Adapter]:
    """The version of each that answers, by id: the newest, or an earlier one that was chosen after it was trained."""
    found: dict[str, Adapter] = {}
    every = versions(state, caller)
    for adapter in every:
        if adapter.id not in found:
            found[adapter.id] = _chosen(state, adapter, every) or adapter
    return found


def find_adapter(state: State, caller: Caller, name: str) -> Adapter | None:
    """The one that a model's name means; None: it is no adapter's."""
    return answering(state, caller).get(name) if ":" in name else None


def check_served(state: State, adapter: Adapter) -> None:
    """`Unavailable` when its base does not run here."""
    if adapter.base not in state.models.served:
        raise Unavailable(f"微调模型 {adapter.id} 的基础模型没有启用，请在集群配置的 models 中启用 {adapter.base}。")


def choose(state: State, caller: Caller, name: str, version: str) -> Adapter:
    """From now on this version answers to the name; empty: the one before that which does now."""
    current = find_adapter(state, caller, name)
    if current is None:
        raise NotFound("没有这个微调模型。", param="name")
    older = [each for each in versions(state, caller) if each.id == name and each.created_ms < current.created_ms]
    wanted = [each for each in versions(state, caller) if each.id == name and each.version == version]
    chosen = next(iter(wanted if version else older), None)
    if chosen is None:
        raise NotFound("没有这个版本，或它已是最早的版本。", param="version")
    content = json.dumps({"version": chosen.version}).encode()
    state.artifacts.upload(f"{chosen.folder}/{CHOSEN}", content, caller.owner)
    return chosen


def remove(state: State, caller: Caller, name: str) -> list[Adapter]:
    """All its versions are gone, and no replica finds them any more."""
    gone = [each for each in versions(state, caller) if each.id == name]
    if not gone:
        raise NotFound("没有这个微调模型。", param="name")
    for folder in {each.folder for each in gone}:
        state.artifacts.delete(folder)
    return gone


def _chosen(state: State, newest: Adapter, every: Iterable[Adapter]) -> Adapter | None:
    place = f"{newest.folder}/{CHOSEN}"
    row = next((row for row in newest_under(state.database, [newest.folder]) if row.key == place), None)
    if row is None or row.created_ms < newest.created_ms:
        return None
    version = json.loads(state.artifacts.read(place))["version"]
    return next((each for each in every if each.id == newest.id and each.version == version), None)


def _version_of(row: ArtifactRow) -> str:
    return PurePosixPath(row.key).parent.name


def _adapter(job: JobRow) -> Adapter:
    folder = str(job.params["output"])
    metrics: dict[str, Any] = job.result.get("figures", {}).get("metrics", {})
    return Adapter(
        name=folder.partition(f"/{TRAINED}/")[2],
        base=str(job.params["base_model"]),
        version=job.id,
        folder=folder,
        created_ms=job.finished_ms or job.created_ms,
        metrics=metrics,
        task_id=task_id_of(job),
    )
