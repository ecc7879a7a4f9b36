"""Faces that callers register: a vector under a name of theirs."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from contracts.errors import Conflict, NotFound
from store.database import Database, now_ms
from store.galleries import NUMBERS, Galleries, Gallery, Match
from store.tables import FaceRow

MOST = 20_000  # of one owner
FACE_ID = re.compile(r"face_([0-9a-f]{32})")
UNSTATED = "not stated"
GALLERIES = Galleries()  # of this process


@dataclass(frozen=True)
class Faces:
    """Blocking. Another's face is not found; a person may have several."""

    database: Database

    def keep(self, owner: str, name: str, model: str, vector: Sequence[float], consent: str = "") -> str:
        """Its id. `Conflict` when the owner has as many as there may be."""
        row = FaceRow(id=uuid.uuid4().hex, owner=owner, name=name, model=model, created_ms=now_ms())
        row.vector, row.consent = np.asarray(vector, NUMBERS).tobytes(), consent.strip() or UNSTATED
        theirs = select(func.count()).where(FaceRow.owner == owner)
        with self.database.turn("faces") as session:
            if (session.scalar(theirs) or 0) >= MOST:
                raise Conflict(f"人脸最多注册 {MOST} 个，请先删除不需要的。")
            session.add(row)
        return face_id_of(row)

    def all(self, owners: tuple[str, ...]) -> list[FaceRow]:
        """Newest first, without their vectors."""
        theirs = select(FaceRow).where(FaceRow.owner.in_(owners)).options(defer(FaceRow.vector, raiseload=True))
        with self.database.session() as session:
            return list(session.scalars(theirs.order_by(FaceRow.created_ms.desc(), FaceRow.id)))

    def nearest(self, owners: tuple[str, ...], model: str, vectors: Sequence[Sequence[float]]) -> list[Match | None]:
        """For each vector the registered face that is most like it, of those of the same model; None: there is none."""
        return self.gallery(owners, model, len(vectors[0])).nearest(vectors) if vectors else []

    def delete(self, face_id: str, owners: tuple[str, ...]) -> None:
        named = FACE_ID.fullmatch(face_id)
        with self.database.session() as session:
            row = session.get(FaceRow, named[1]) if named else None
            if row is None or row.owner not in owners:
                raise NotFound("没有这个人脸。", param="face_id")
            session.delete(row)

    def gallery(self, owners: tuple[str, ...], model: str, size: int) -> Gallery:
        """Those of the same model, whose vectors have so many numbers."""
        with self.database.session() as session:
            return GALLERIES.read(session, (str(self.database.url), owners, model, size))


def face_id_of(row: FaceRow) -> str:
    """`face_<32 hex digits>`."""
    return f"face_{row.id}"
