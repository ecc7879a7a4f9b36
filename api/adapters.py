"""Models that a caller has taught: adapters and classifiers by name, `base:name`, each with its versions."""

import json
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select

from api.callers import Caller
from api.media.trainings import task_id_of
from api.paths import home
from api.state import State
from contracts.chat import ChatDelta, ChatRequest
from contracts.engines import Chat
from contracts.errors import NotFound, Unavailable
from contracts.platform import ADAPTING, MANIFEST, TRAINED
from store.listing import newest_under
from store.tables import ArtifactRow, JobRow

CHOSEN = "version.json"  # which version answers, where it is not the newest
OURS = {"base", "revision", "template", "dataset_sha256"}  # of a configuration: the machine's, or told elsewhere


@dataclass(frozen=True)
class Adapter:
    """`version`: the job that has trained it; `folder`: key of all versions' folder, `key`: of this one's.

    `labels`: of a classifier.
    """

    name: str
    base: str
    version: str
    folder: str
    created_ms: int
    task_id: str
    metrics: dict[str, float]
    dataset_sha256: str
    samples: int
    base_revision: str
    config: dict[str, Any]
    labels: list[str]

    @property
    def id(self) -> str:
        return f"{self.base}:{self.name}"

    @property
    def key(self) -> str:
        return f"{self.folder}/{self.version}"


def versions(state: State, caller: Caller, kinds: Collection[str] = ADAPTING) -> list[Adapter]:
    """All of these kinds of training that have come to their end and are still there, newest first."""
    rows = newest_under(state.database, [f"{home(owner)}/{TRAINED}" for owner in caller.owners])
    kept = {_version_of(row): row for row in rows if PurePosixPath(row.key).name == MANIFEST}
    trained = select(JobRow).where(JobRow.id.in_(kept), JobRow.kind.in_(kinds), JobRow.state == "completed")
    with state.database.session() as session:
        jobs = session.scalars(trained.order_by(JobRow.created_ms.desc())).all()
    return [_adapter(job) for job in jobs]


def answering(state: State, caller: Caller, kinds: Collection[str] = ADAPTING) -> dict[str, Adapter]:
    """The version of each that answers, by id: the newest, or an earlier one that was chosen after it was trained."""
    every: dict[str, list[Adapter]] = {}
    for adapter in versions(state, caller, kinds):
        every.setdefault(adapter.id, []).append(adapter)
    return {name: _answering(state, theirs) for name, theirs in every.items()}


def find_adapter(state: State, caller: Caller, name: str) -> Adapter | None:
    """The one that a model's name means; None: it is no adapter's."""
    return answering(state, caller).get(name) if ":" in name else None


class Adapted:
    """A language model that answers with an adapter."""

    def __init__(self, chat: Chat, key: str, name: str) -> None:
        self.chat, self.key, self.model = chat, key, name

    def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        return self.chat.generate(request.model_copy(update={"adapter": self.key}))


def adapted(state: State, base: str, key: str, name: str) -> Chat:
    """The base with the adapter of this key. `Unavailable` when the base does not run here."""
    if base not in state.engines.chats:
        raise Unavailable(f"{name} 的基础模型没有启用，请在集群配置的 models 中启用 {base}。")
    return Adapted(state.engines.chats[base], key, name)


def chat_of(state: State, caller: Caller, name: str, param: str) -> Chat:
    """The model that answers to a name: an adapter of the caller's, or one of the cluster's; empty: the default."""
    if adapter := find_adapter(state, caller, name):
        return adapted(state, adapter.base, adapter.key, adapter.id)
    return state.engines.chats[state.models.resolve("chat", name, param).id]


def choose(state: State, caller: Caller, name: str, version: str) -> Adapter:
    """From now on this version answers to the name; empty: the one before that which does now."""
    every = [each for each in versions(state, caller) if each.id == name]
    if not every:
        raise NotFound("没有这个微调模型。", param="model")
    current = _answering(state, every)
    older = every[every.index(current) + 1 :]
    chosen = next((each for each in every if each.version == version), None) if version else next(iter(older), None)
    if chosen is None:
        raise NotFound("没有这个版本，或它已是最早的版本。", param="version")
    content = json.dumps({"version": chosen.version}).encode()
    state.artifacts.upload(f"{every[0].folder}/{CHOSEN}", content, caller.owner)
    return chosen


def remove(state: State, caller: Caller, name: str, kinds: Collection[str] = ADAPTING) -> list[Adapter]:
    """All its versions are gone, and no replica finds them any more."""
    gone = [each for each in versions(state, caller, kinds) if each.id == name]
    if not gone:
        raise NotFound("没有这个微调模型。", param="model")
    for folder in {each.folder for each in gone}:
        state.artifacts.delete(folder)
    return gone


def _answering(state: State, every: Sequence[Adapter]) -> Adapter:
    """Of all versions of one, newest first, that which answers."""
    newest = every[0]
    place = f"{newest.folder}/{CHOSEN}"
    row = next((row for row in newest_under(state.database, [newest.folder]) if row.key == place), None)
    if row is None or row.created_ms < newest.created_ms:
        return newest
    version = json.loads(state.artifacts.read(place))["version"]
    return next((each for each in every if each.version == version), newest)


def _version_of(row: ArtifactRow) -> str:
    return PurePosixPath(row.key).parent.name


def _adapter(job: JobRow) -> Adapter:
    folder, manifest = str(job.params["output"]), job.result.get("manifest", {})
    config = {name: value for name, value in manifest.get("config", {}).items() if name not in OURS}
    return Adapter(
        name=folder.partition(f"/{TRAINED}/")[2],
        base=str(job.params["base_model"]),
        version=job.id,
        folder=folder,
        created_ms=job.finished_ms or job.created_ms,
        task_id=task_id_of(job),
        metrics=job.result.get("figures", {}).get("metrics", {}),
        dataset_sha256=manifest.get("dataset_sha256", ""),
        samples=manifest.get("samples", 0),
        base_revision=manifest.get("base_revision", ""),
        config=config,
        labels=manifest.get("labels", []),
    )
