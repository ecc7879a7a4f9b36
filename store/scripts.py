"""Livestream scripts: fragments of text that a seller keeps."""

from dataclasses import dataclass

from sqlalchemy import func, select

from contracts.errors import Conflict, NotFound
from store.database import Database, now_ms
from store.tables import ScriptRow

MOST = 1_000  # of one owner


@dataclass(frozen=True)
class Scripts:
    """Blocking."""

    database: Database

    def all(self, owners: tuple[str, ...]) -> list[ScriptRow]:
        """Oldest first."""
        theirs = select(ScriptRow).where(ScriptRow.owner.in_(owners)).order_by(ScriptRow.id)
        with self.database.session() as session:
            return list(session.scalars(theirs))

    def create(self, owner: str, name: str, fragment_name: str, content: str) -> ScriptRow:
        """Its id is the time; of several in one millisecond, the later ones get the next free ones.

        `Conflict` when the owner has as many as there may be.
        """
        row = ScriptRow(owner=owner, name=name, fragment_name=fragment_name, content=content)
        theirs = select(func.count()).where(ScriptRow.owner == owner)
        with self.database.turn("scripts") as session:
            if (session.scalar(theirs) or 0) >= MOST:
                raise Conflict(f"脚本最多保存 {MOST} 个，请修改已有的脚本。")
            row.id = max(now_ms(), (session.scalar(select(func.max(ScriptRow.id))) or 0) + 1)
            session.add(row)
        return row

    def update(self, script_id: str, owners: tuple[str, ...], name: str, fragment_name: str, content: str) -> ScriptRow:
        """Another's script is not found."""
        number = int(script_id) if script_id.isascii() and script_id.isdigit() and len(script_id) < 19 else 0
        with self.database.session() as session:
            row = session.get(ScriptRow, number)
            if row is None or row.owner not in owners:
                raise NotFound("脚本不存在。", param="id")
            row.name, row.fragment_name, row.content = name, fragment_name, content
        return row
