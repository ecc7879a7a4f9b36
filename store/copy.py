"""Everything from one database into another, SQLite or Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, cast, exists, func, insert, select, text
from sqlalchemy.dialects.postgresql import REGCLASS

from contracts.errors import Conflict
from store import tables
from store.database import Database, now_ms, take_time
from store.tables import LeaseRow

BATCH = 1_000
TABLES = [table for table in tables.Table.metadata.sorted_tables if table.name != LeaseRow.__tablename__]


def copy(source: Database, target: Database) -> dict[str, int]:
    """How many rows each table had. Ids that were once given out are not given out again.

    Both are brought to this code's version. `Conflict` when workers use the source or the target is not empty. Whatever
    fails, the target stays empty; the source is only read.
    """
    if source.url == target.url:
        raise Conflict("The database cannot be copied into itself.")
    source.migrate()
    target.migrate()
    with _still(source) as old, target.engine.begin() as new:
        take_time(new)  # each waits for the other
        take_time(old)
        if old.scalar(select(exists().where(LeaseRow.expires_ms > now_ms()))):
            raise Conflict("A cluster uses the database: stop it first.")
        if filled := [table.name for table in TABLES if _count(table, new)]:
            raise Conflict(f"The target is not empty: there are rows in {', '.join(filled)}.")
        return {table.name: _copy(table, old, new) for table in TABLES}


@contextmanager
def _still(database: Database) -> Iterator[Connection]:
    """A connection that sees the same all the time."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # who wants to write has to wait
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _copy(table: Table, old: Connection, new: Connection) -> int:
    for batch in old.execute(select(table), execution_options={"yield_per": BATCH}).mappings().partitions():
        new.execute(insert(table), [dict(row) for row in batch])
    if table.dialect_options["sqlite"]["autoincrement"] and (last_id := _last_id(table.name, old)):
        _go_on_after(last_id, table.name, new)
    count = _count(table, old)
    if _count(table, new) != count:
        raise Conflict(f"Of {count} rows of {table.name} only {_count(table, new)} arrived.")
    return count


def _count(table: Table, connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _last_id(name: str, connection: Connection) -> int | None:
    """The highest id that a table ever gave out, also when its row is gone."""
    if connection.dialect.name == "sqlite":
        return connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name})
    return connection.scalar(select(func.pg_sequence_last_value(_sequence(name))))


def _go_on_after(last_id: int, name: str, connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
        mark = {"name": name, "last_id": last_id}
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last_id)"), mark)
    else:
        connection.execute(select(func.setval(_sequence(name), last_id)))


def _sequence(name: str) -> ColumnElement[Any]:
    return cast(func.pg_get_serial_sequence(name, "id"), REGCLASS)
