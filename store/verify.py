"""What can be said of a file: the label that it carries, and whether it is one of ours."""

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel

from contracts.errors import ServiceError, UnsupportedMedia
from store import labels
from store.artifacts import Artifacts, digest


class Origin(BaseModel):
    """How a file came to be. `job_id` and `prompt` are None for those whom they do not concern."""

    model: str
    created_ms: int
    job_id: str | None
    prompt: str | None


class Verdict(BaseModel):
    """`ours`: we wrote this content, to the bit. `altered`: it carries the label of another content of ours."""

    media_type: str | None
    sha256: str
    label: labels.Label | None
    ours: bool
    altered: bool
    origin: Origin | None


def verify(files: Artifacts, path: Path, owners: Collection[str] | None) -> Verdict:
    """`owners` see what is theirs; None, the operator, sees everything."""
    media_type = _sniffed(path)
    label = _label(path, media_type) if media_type else None
    sha256 = digest(path)
    row = files.known(sha256, label.ProduceID if label else "")
    told = row is not None and (owners is None or row.owner in owners)
    origin = row and Origin(
        model=row.model,
        created_ms=row.created_ms,
        job_id=row.job_id if told else None,
        prompt=row.prompt if told else None,
    )
    ours = row is not None and row.sha256 == sha256
    return Verdict(
        media_type=media_type, sha256=sha256, label=label, ours=ours, altered=bool(row) and not ours, origin=origin
    )


def _label(path: Path, media_type: str) -> labels.Label | None:
    try:
        return labels.read(path, media_type)
    except UnsupportedMedia:
        return None  # nothing of this kind is ever labelled


def _sniffed(path: Path) -> str | None:
    try:
        return labels.sniff(path)
    except ServiceError:
        return None
