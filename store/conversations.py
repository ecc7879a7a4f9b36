"""What was said lately in spoken conversations, each its owner's alone."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from contracts.chat import Message
from contracts.errors import NotFound
from store.database import Database, now_ms
from store.faults import told
from store.tables import ConversationRow

MOST_MESSAGES, MOST_CHARACTERS = 20, 1_600  # of one conversation: what was said before that is forgotten
MOST = 64  # of one owner: the one in which nothing was said for longest goes


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Conversations:
    """Blocking. One is there once something was said in it; another's is not found."""

    database: Database

    @told()
    def messages(self, name: str, owners: Sequence[str]) -> list[Message]:
        """Oldest first, by turns."""
        with self.database.session() as session:
            return [Message.model_validate(each) for each in _found(session, name, owners).messages]

    @told()
    def keep(self, name: str, owner: str, said: Sequence[Message]) -> None:
        """Add what was said; the first time, the conversation is this owner's."""
        with self.database.turn("conversations") as session:
            row = session.get(ConversationRow, name) or ConversationRow(id=name, owner=owner, messages=[])
            before = [Message.model_validate(each) for each in row.messages]
            row.messages = [each.model_dump() for each in recent([*before, *said])]
            row.spoken_ms = now_ms()
            session.add(row)
            session.flush()
            theirs = select(ConversationRow.id).where(ConversationRow.owner == row.owner, ConversationRow.id != name)
            over = session.scalars(theirs.order_by(ConversationRow.spoken_ms.desc()).offset(MOST - 1)).all()
            session.execute(delete(ConversationRow).where(ConversationRow.id.in_(over)))


def recent(messages: Sequence[Message]) -> list[Message]:
    """The last of them that are within the bounds, from a question on; at least the last question and its answer."""
    kept = list(messages)
    while len(kept) > 2 and (len(kept) > MOST_MESSAGES or sum(len(each.content) for each in kept) > MOST_CHARACTERS):
        del kept[:2]
    return kept


def _found(session: Session, name: str, owners: Sequence[str]) -> ConversationRow:
    row = session.get(ConversationRow, name)
    if row is None or row.owner not in owners:
        raise NotFound("没有这个会话。", param="conversation_id")
    return row
