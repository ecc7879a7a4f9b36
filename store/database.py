"""The database: SQLite or Postgres by one URL. Blocking: call it in a thread, or from a plain `def` route."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Database:
    """Opened on first use, so that it can travel to a replica before it connects."""

    def __init__(self, url: str) -> None:
        drivers = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
        parsed = make_url(url)
        self.url = parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername))

    def __reduce__(self) -> tuple[Any, ...]:
        return Database, (self.url.render_as_string(hide_password=False),)

    @cached_property
    def engine(self) -> Engine:
        engine = create_engine(self.url, pool_pre_ping=self.url.drivername.startswith("postgresql"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _tune)
        return engine

    @cached_property
    def _sessions(self) -> sessionmaker[Session]:
        return sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error."""
        with self._sessions.begin() as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to this code's version; does nothing when they are."""
        prepare_sqlite(str(self.url))
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["engine"] = self.engine
        command.upgrade(config, "head")


def _tune(connection: Any, record: object) -> None:
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")


def prepare_sqlite(url: str) -> None:
    """Make the file and set WAL before anybody uses it: without it, writers make each other wait for seconds."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
