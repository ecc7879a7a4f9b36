"""The tables. Times are milliseconds since 1970, UTC. Change them together with a migration."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, Index, Integer, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Words(TypeDecorator[str]):
    """Text that people and models wrote; in place of what no database keeps, NUL and lone surrogates, a mark."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Table(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, str: Words}


class User(Table):
    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str]
    created_ms: Mapped[int] = mapped_column(BigInteger)


class RefreshToken(Table):
    """One row for each token ever given out; a family is one log-in."""

    __tablename__ = "refresh_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the token
    family: Mapped[str] = mapped_column(String(32), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    spent_ms: Mapped[int | None] = mapped_column(BigInteger)


class Story(Table):
    """A task of the story family; `job_id` is the job of its last executed segment."""

    __tablename__ = "stories"
    __table_args__ = {"sqlite_autoincrement": True}  # ids name folders: never used again

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    workflow: Mapped[str] = mapped_column(String(32))
    topic: Mapped[str]
    main_role: Mapped[str]
    scene: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(String(32))
    created_ms: Mapped[int] = mapped_column(BigInteger)


class JobRow(Table):
    """The truth about a job, for every family. `subject` groups the jobs of one thing: "story/123"."""

    __tablename__ = "jobs"
    __table_args__ = (Index("jobs_owner", "owner", "created_ms"), Index("jobs_subject", "subject", "created_ms"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float]
    message: Mapped[str]
    error: Mapped[str]
    params: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    created_ms: Mapped[int] = mapped_column(BigInteger)
    started_ms: Mapped[int | None] = mapped_column(BigInteger)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)


class EventRow(Table):
    __tablename__ = "events"
    __table_args__ = (Index("events_owner", "owner", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    owner: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    data: Mapped[dict[str, Any]]
    created_ms: Mapped[int] = mapped_column(BigInteger)


class ArtifactRow(Table):
    """One row for each content ever written; `id` is the label's ProduceID."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(512), index=True)
    media_type: Mapped[str] = mapped_column(String(128))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(80))
    job_id: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(128))
    prompt: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    created_ms: Mapped[int] = mapped_column(BigInteger)


class Slot(Table):
    """A place for one worker: its name is the worker's identity, leased until `expires_ms`."""

    __tablename__ = "slots"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    expires_ms: Mapped[int] = mapped_column(BigInteger)
