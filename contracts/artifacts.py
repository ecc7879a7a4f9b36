"""Files of the store, named by key; and who made them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from contracts.model import Contract


class Artifact(Contract):
    key: str
    media_type: str
    size_bytes: int
    sha256: str


class Provenance(Contract):
    """What made an artifact: the job, its owner, the model and what it was asked.

    `lease` is that of the worker who runs the job; when it is lost, nothing more is kept under it.
    """

    owner: str
    job_id: str = ""
    lease: str = ""
    model: str = ""
    prompt: str = ""
    parameters: dict[str, Any] = {}


class Files(Protocol):
    """The store as engines and pipelines see it. Blocking: call it in a thread."""

    def check_wanted(self, made: Provenance) -> None: ...
    def put(self, key: str, content: bytes | Path, made: Provenance) -> Artifact: ...
    def deliver(self, source: str, key: str, made: Provenance) -> Artifact: ...
    def delete(self, key: str) -> None: ...
    def delete_made(self, job_ids: Collection[str], keep: Collection[str] = ()) -> None: ...
    def read(self, key: str) -> bytes: ...
    def fetch(self, key: str, path: Path) -> None: ...
    def measured(self, key: str, name: str) -> bytes | None: ...
    def keep_measured(self, key: str, name: str, content: bytes) -> None: ...
