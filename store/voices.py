"""Voices that callers keep: a recording under a name of theirs."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contracts.errors import NotFound
from store.database import Database, now_ms
from store.tables import VoiceRow

UNSTATED = "not stated"


@dataclass(frozen=True)
class Voices:
    """Blocking. Names are unique among one owner's voices; another's voice is not found.

    Of equal names the caller's own (the first of `owners`) is meant, whatever was made since at its address.
    """

    database: Database

    def all(self, owners: tuple[str, ...]) -> list[VoiceRow]:
        """Newest first, of equal names the one that `find` finds."""
        theirs = select(VoiceRow).where(VoiceRow.owner.in_(owners)).order_by(VoiceRow.created_ms.desc(), VoiceRow.id)
        with self.database.session() as session:
            rows = list(session.scalars(theirs))
        own = {row.name for row in rows if row.owner == owners[0]}
        return [row for row in rows if row.owner == owners[0] or row.name not in own]

    def find(self, name: str, owners: tuple[str, ...], param: str = "audio_id") -> VoiceRow:
        """`param`: the field that names it."""
        with self.database.session() as session:
            return _found(session, name, owners, param)

    def keep(self, owner: str, name: str, sample: str, reference: str, consent: str = "") -> None:
        """Keep it in place of the owner's voice of that name. That one's sample stays for who speaks with it now."""
        with self.database.turn("voices") as session:
            newest = session.scalar(select(func.max(VoiceRow.created_ms)))
            row = session.scalar(select(VoiceRow).where(VoiceRow.owner == owner, VoiceRow.name == name))
            row = row or VoiceRow(id=uuid.uuid4().hex, owner=owner, name=name)
            row.sample, row.reference, row.consent = sample, reference, consent.strip() or UNSTATED
            row.created_ms = max(now_ms(), (newest or 0) + 1)
            session.add(row)

    def delete(self, name: str, owners: tuple[str, ...], param: str = "audio_id") -> str:
        """The key of its sample."""
        with self.database.session() as session:
            row = _found(session, name, owners, param)
            session.delete(row)
        return row.sample


def _found(session: Session, name: str, owners: tuple[str, ...], param: str) -> VoiceRow:
    theirs = select(VoiceRow).where(VoiceRow.name == name, VoiceRow.owner.in_(owners))
    row = session.scalar(theirs.order_by(VoiceRow.owner != owners[0], VoiceRow.created_ms.desc()).limit(1))
    if row is None:
        raise NotFound("没有这个说话人，请先克隆音频，或从已克隆音频列表里选择。", param=param)
    return row
