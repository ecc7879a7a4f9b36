"""API keys, for programs that call. What is kept of a key is its digest: it is shown once."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, select

from contracts.errors import NotFound
from store.database import Database, now_ms
from store.tables import ApiKey

Role = Literal["user", "admin"]
PREFIX = "troupe_"


@dataclass(frozen=True)
class Keys:
    """Blocking."""

    database: Database

    def create(self, name: str, role: Role) -> tuple[ApiKey, str]:
        """The key's row, and the key itself."""
        key = PREFIX + secrets.token_urlsafe(32)
        row = ApiKey(id=uuid.uuid4().hex, name=name, role=role, digest=_digest(key), created_ms=now_ms())
        with self.database.session() as session:
            session.add(row)
        return row, key

    def find(self, key: str) -> ApiKey | None:
        with self.database.session() as session:
            return session.scalar(select(ApiKey).where(ApiKey.digest == _digest(key)))

    def all(self) -> list[ApiKey]:
        """Oldest first."""
        with self.database.session() as session:
            return list(session.scalars(select(ApiKey).order_by(ApiKey.created_ms)))

    def revoke(self, key_id: str) -> None:
        """From now on nobody calls with it; what was made with it stays."""
        with self.database.session() as session:
            gone = session.execute(delete(ApiKey).where(ApiKey.id == key_id))
        if gone.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("没有这个密钥。", param="key_id")


def _digest(key: str) -> str:
    """A key has 256 random bits: a plain hash gives nothing away."""
    return hashlib.sha256(key.encode()).hexdigest()
