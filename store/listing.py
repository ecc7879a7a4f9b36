"""What lies in folders of the store, as the database knows it. Blocking."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from store.database import Database
from store.tables import ArtifactRow


def newest_under(database: Database, folders: Sequence[str]) -> list[ArtifactRow]:
    """The newest row of every key below any of the folders, newest first."""
    below = or_(*(ArtifactRow.key.startswith(f"{folder}/", autoescape=True) for folder in folders))
    place = func.row_number().over(partition_by=ArtifactRow.key, order_by=ArtifactRow.created_ms.desc())
    ranked = select(ArtifactRow, place.label("place")).where(below).subquery()
    row = aliased(ArtifactRow, ranked)
    with database.session() as session:
        return list(session.scalars(select(row).where(ranked.c.place == 1).order_by(row.created_ms.desc(), row.key)))
