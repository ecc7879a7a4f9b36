"""The migrations make what the code expects, on SQLite and on Postgres."""

import sqlite3
import threading
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from contracts.settings import ROOT, Settings
from jobs import engine
from store.database import Database, prepare_sqlite
from store.tables import Table

pytest_plugins = ["tests.places"]


def differences(database: Database) -> list[object]:
    """Between the tables that are there and those that the code declares."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Table.metadata))


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def test_a_migrated_database_is_what_the_code_declares(database: Database) -> None:
    assert differences(database) == []
    assert tables(database) == Table.metadata.tables.keys() | {"alembic_version"}


def test_a_second_migration_does_nothing(database: Database) -> None:
    with database.session() as session:
        session.execute(text("INSERT INTO leases VALUES ('x', 1)"))
    database.migrate()
    with database.session() as session:
        assert session.scalar(text("SELECT holder FROM leases")) == "x"


def test_down_and_up_again(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    config.attributes["engine"] = database.engine
    command.downgrade(config, "base")
    assert tables(database) == {"alembic_version"}
    database.migrate()
    assert differences(database) == []


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    threads = [threading.Thread(target=database.migrate, daemon=True) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)  # an exception in a thread is a warning, and so a failure
        assert not thread.is_alive()
    assert differences(databases[0]) == []
    for database in databases:
        database.engine.dispose()


def test_sqlite_is_in_wal_mode_before_anybody_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "some.db"
    prepare_sqlite(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_both_databases_are_in_wal_mode(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / "var")
    database = Database(settings.tables_url)
    database.migrate()
    engine.migrate(settings)
    for name in ("troupe.db", "jobs.db"):
        connection = sqlite3.connect(tmp_path / "var" / name)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
    with database.engine.connect() as opened:
        for pragma, value in {"foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 1}.items():
            assert opened.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    database.engine.dispose()


def test_a_url_names_its_driver_by_itself() -> None:
    for url in (
        "postgres://u:p%40ss@host/db",
        "postgresql://u:p%40ss@host/db",
        "postgresql+psycopg://u:p%40ss@host/db",
    ):
        settings = Settings(database_url=url)
        expected = "postgresql+psycopg://u:p%40ss@host/db"
        assert Database(settings.tables_url).url.render_as_string(hide_password=False) == expected
        assert engine.url_of(settings) == expected
