"""The database: SQLite or Postgres by one URL. Blocking: call it in a thread, or from a plain `def` route."""

import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Function, create_engine, event, func, make_url, select
from sqlalchemy.orm import Session, sessionmaker

LOCKS = 64
IDLE = "idle_in_transaction_session_timeout"
IDLE_S = 5  # Postgres ends a transaction that is neither worked at nor ended: a process stands still with its locks
KEEPALIVES = {  # a server that is gone without a word is noticed within a minute
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
Begin = Callable[[], AbstractContextManager[Session]]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Database:
    """Opened on first use. `wait_s`: how long a call waits for a lock or a connection before it fails."""

    def __init__(self, url: str, wait_s: int = 30) -> None:
        drivers = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
        parsed = make_url(url)
        self.url = parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername))
        self.wait_s = wait_s

    @cached_property
    def engine(self) -> Engine:
        waits = {"timeout": self.wait_s} if self._is_sqlite else {"connect_timeout": self.wait_s} | KEEPALIVES
        # parameters are prompts and password hashes: errors, which are logged, must not hold them
        engine = create_engine(
            self.url,
            pool_pre_ping=not self._is_sqlite,
            pool_timeout=self.wait_s,
            connect_args=waits,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _tune_sqlite if self._is_sqlite else _tune_postgres)
        return engine

    @cached_property
    def _sessions(self) -> sessionmaker[Session]:
        return sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self, connection: Connection | None = None) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error. It must not wait for anything slow."""
        with self._sessions(bind=connection or self.engine) as session, session.begin():
            yield session

    @contextmanager
    def lock(self, name: str) -> Iterator[Begin]:
        """Who asks for a lock of the same name, in any process, waits until this is over. Gives what `session` is here.

        It may take its time, and outlives the transactions in it.
        """
        if self._is_sqlite:
            with _file_lock(self.url.database or "", name):
                yield self.session
        else:  # a connection for all: who had to wait for a second one would make those wait who hold them
            with self.engine.connect() as connection, _server_lock(connection, name):
                yield partial(self.session, connection)

    @contextmanager
    def turn(self, name: str) -> Iterator[Session]:
        """One transaction; who asks for a turn of the same name, in any process, waits until it has ended."""
        with _file_lock(self.url.database or "", name) if self._is_sqlite else nullcontext(), self.session() as session:
            in_turn(session, name)
            yield session

    def migrate(self) -> None:
        """Bring the tables to this code's version; does nothing when they are."""
        prepare_sqlite(str(self.url))
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["engine"] = self.engine
        with self.lock("migrate"):
            command.upgrade(config, "head")

    @property
    def _is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"


def _tune_sqlite(connection: Any, record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")


def _tune_postgres(connection: Any, record: object) -> None:
    connection.execute(f"SET {IDLE} = '{IDLE_S}s'")
    connection.commit()


def take_time(connection: Connection) -> None:
    """For a transaction that others wait for on purpose."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL {IDLE} = 0")


def in_turn(session: Session, name: str) -> None:
    """Wait for a transaction's turn of that name, kept until it ends. SQLite: its writers have turns by themselves."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_number(name))))


@contextmanager
def _server_lock(connection: Connection, name: str) -> Iterator[None]:
    """Kept until it is given back, or the connection is lost."""
    connection.execute(select(func.pg_advisory_lock(_number(name))))
    connection.commit()
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.execute(select(func.pg_advisory_unlock(_number(name))))
            connection.commit()


def _number(name: str) -> Function[int]:
    return func.hashtextextended(name, 0)


@contextmanager
def _file_lock(database: str, name: str) -> Iterator[None]:
    """A lock among the processes of one machine; names share a few files."""
    folder = Path(f"{database}.locks")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{zlib.crc32(name.encode()) % LOCKS:02}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        yield


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
