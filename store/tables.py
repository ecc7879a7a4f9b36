"""The tables. Times are milliseconds since 1970, UTC. Change them together with a migration."""

from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

GOING_ON = text("finished_ms IS NULL")  # of jobs: in these words an index serves who looks for them


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


class ApiKey(Table):
    """A program that may call; of the key only its SHA-256 is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[Literal["user", "admin"]] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_ms: Mapped[int] = mapped_column(BigInteger)


class ScriptRow(Table):
    """A fragment of a livestream script. `id` is the time at which it was made, in milliseconds, or just after."""

    __tablename__ = "scripts"
    __table_args__ = (Index("scripts_owner", "owner", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(String(80))
    name: Mapped[str]
    fragment_name: Mapped[str]
    content: Mapped[str]


class VoiceRow(Table):
    """A recording kept as a voice: `name` is what its owner calls it, `reference` the path as the owner gave it."""

    __tablename__ = "voices"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(Words(128))
    sample: Mapped[str] = mapped_column(String(512))  # artifact key
    reference: Mapped[str] = mapped_column(Words(512))
    consent: Mapped[str] = mapped_column(Words(200))  # of who speaks, as the owner states it
    created_ms: Mapped[int] = mapped_column(BigInteger)


class FaceRow(Table):
    """A face of a person whom its owner calls `name`; a person may have several. Of the picture nothing is kept."""

    __tablename__ = "faces"
    __table_args__ = (Index("faces_owner", "owner", "model"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(Words(128))
    model: Mapped[str] = mapped_column(String(128))  # whose vectors compare with this one
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # float32, little-endian, of unit length
    consent: Mapped[str] = mapped_column(Words(200))  # of the person, as the owner states it
    created_ms: Mapped[int] = mapped_column(BigInteger)


class ConversationRow(Table):
    """What was said lately in a spoken conversation, by turns: `role` and `content` of each message."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_owner", "owner", "spoken_ms"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    messages: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    spoken_ms: Mapped[int] = mapped_column(BigInteger, index=True)  # when something was said last


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
    __table_args__ = (
        Index("jobs_owner", "owner", "created_ms"),
        Index("jobs_subject", "subject", "created_ms"),
        Index("jobs_going_on", "created_ms", sqlite_where=GOING_ON, postgresql_where=GOING_ON),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float]
    message: Mapped[str]
    error: Mapped[str]
    error_code: Mapped[str | None] = mapped_column(String(32))  # of `contracts.errors`
    params: Mapped[dict[str, Any]]
    trace: Mapped[str] = mapped_column(String(55), server_default=text("''"))  # W3C's `traceparent`
    result: Mapped[dict[str, Any]]
    created_ms: Mapped[int] = mapped_column(BigInteger)
    started_ms: Mapped[int | None] = mapped_column(BigInteger)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)
    callback: Mapped["CallbackRow | None"] = relationship(lazy="raise")


class CallbackRow(Table):
    """Where a job's end is told: tried at `next_ms`, until it is "delivered" or "given_up"."""

    __tablename__ = "callbacks"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)  # None: never again, so that polls pass it by
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)


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


class LeaseRow(Table):
    """A worker that lives, by its own account until `expires_ms`. Without its row it may write nothing."""

    __tablename__ = "leases"

    holder: Mapped[str] = mapped_column(String(32), primary_key=True)
    expires_ms: Mapped[int] = mapped_column(BigInteger)
